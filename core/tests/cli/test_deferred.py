"""Modules that commands load late: they behave as if they had been there from the beginning."""

import importlib
import subprocess
import sys

import pytest

from dicomwright.cli.deferred import defer


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package whose code leaves a trace, loaded late."""
    name = f"late_{tmp_path.name.replace('-', '_')}"
    folder = tmp_path / name
    folder.mkdir()
    (folder / "__init__.py").write_text(
        "import sys\nfrom . import second\nvalue, ran = 7, True\n"
        "def __getattr__(name):\n    if name == 'own':\n        return 'its own'\n    raise AttributeError(name)\n"
    )
    (folder / "first.py").write_text("from . import second\n")
    (folder / "second.py").write_text("number = 2\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "meta_path", sys.meta_path.copy())
    defer(name)
    yield name
    for module in [one for one in sys.modules if one.partition(".")[0] == name]:
        del sys.modules[module]


def has_run(name):
    return "ran" in vars(sys.modules[name])


def test_code_runs_when_an_attribute_is_missed(package):
    module = importlib.import_module(package)
    assert not has_run(package)
    assert module.value == 7
    assert has_run(package)


def test_submodules_need_not_run_their_package(package):
    first = importlib.import_module(f"{package}.first")
    assert first.second.number == 2
    assert not has_run(package)


def test_names_are_imported_from_it(package):
    found = {}
    exec(f"from {package} import value, own", found)  # a statement with a made-up name
    assert (found["value"], found["own"]) == (7, "its own")


@pytest.mark.parametrize("runs_before", [False, True])
def test_what_it_has_not_is_an_attribute_error(package, runs_before):
    module = importlib.import_module(package)
    assert not runs_before or module.value
    with pytest.raises(AttributeError, match="nothing"):
        _ = module.nothing


def test_a_module_without_getattr_names_itself(tmp_path, monkeypatch):
    (tmp_path / "late_alone.py").write_text("value = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "meta_path", sys.meta_path.copy())
    defer("late_alone")
    module = importlib.import_module("late_alone")
    with pytest.raises(AttributeError, match="module 'late_alone' has no attribute 'other'"):
        _ = module.other
    assert (module.value, module.__spec__.loader is module.__loader__) == (1, True)
    del sys.modules["late_alone"]


def test_libraries_work_as_ever():
    code = (
        "from dicomwright.cli.deferred import defer; defer(); import sys, pydicom; "
        "assert 'get_path' not in vars(sys.modules['pydicom.examples']); from pydicom.data import get_testdata_files; "
        "from urllib.request import Request; assert Request('file:///x').full_url == 'file:///x'; "
        "assert pydicom.examples.get_path('ct').name"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_what_others_import_by_name_works_as_ever():
    code = (
        "from dicomwright.cli.deferred import defer; defer(); from importlib.metadata import version as early; "
        "assert early.__module__ == defer.__module__; import pydicom, pydicom.data; "
        "assert early('PyDicom') == pydicom.__version__; assert 'data_manager' not in vars(pydicom.data); "
        "from pydicom.pixels.processing import get_palette_files; assert get_palette_files('pet*'); "
        "from importlib.metadata import PackageNotFoundError, distribution, version\n"
        "assert pydicom.__version__ == distribution('pydicom').version == version('PyDicom')\n"
        "try: early('of-nobody')\n"
        "except PackageNotFoundError: pass\n"
        "else: raise AssertionError\n"
        "import numpy.ma, numpy.testing, bz2, lzma; assert bz2.compress(b'') and lzma.compress(b'')"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
