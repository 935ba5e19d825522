"""Each fault of a plug-in becomes a record, and the others do not notice."""

from __future__ import annotations

import sys

import pytest

from dicomwright.errors import PluginError
from dicomwright.plugins import KINDS, load
from dicomwright.plugins._metadata import core_version


def test_good_plugin_is_loaded(site, record):
    site.good("acme-tomo", extensions=(".tomo",))
    found = load()
    one = record("acme-tomo", found)
    assert (one.name, one.version, one.kinds, one.status, one.reason) == (
        "tomo",
        "1.0",
        ("reader",),
        "loaded",
        "",
    )
    readers = found.registry("reader")
    assert readers.spec("tomo").extensions == (".tomo",)
    assert readers.provider("tomo") == ("acme-tomo", "1.0")
    assert readers.resolve("tomo")().read(None, {}) == "acme-tomo"
    assert readers.resolve("tomo") is readers.resolve("tomo")


def test_target_is_imported_at_first_use_only(site):
    site.good("acme-tomo")
    found = load()
    assert "acme_tomo_plugin" in sys.modules
    assert "acme_tomo_reader" not in sys.modules
    found.registry("reader").resolve("tomo")
    assert "acme_tomo_reader" in sys.modules


def test_all_kinds(site, record):
    site.add(
        "acme-all",
        """
        @hookimpl
        def dicomwright_element_types():
            yield ElementTypeSpec(name="acme.lookup", summary="s", target="a.b:C.d")

        @hookimpl
        def dicomwright_readers():
            options = (OptionSpec(name="x", summary="y"),)
            return (ReaderSpec(name="acme", summary="s", target="a:b", options=options),)

        @hookimpl
        def dicomwright_encoders():
            takes = {"payloads": ("Volume",), "sop_classes": ("1.2.3",)}
            return [EncoderSpec(name="acme", summary="s", target="a:b", **takes)]

        @hookimpl
        def dicomwright_functions():
            return [FunctionSpec(name="acme", summary="s", target="a:b", level="instance")]

        @hookimpl
        def dicomwright_codecs():
            return [CodecSpec(name="acme", summary="s", target="a:b", uid="1.2.3")]

        @hookimpl
        def dicomwright_senders():
            return [SenderSpec(name="acme", summary="s", target="a:b", schemes=("dicom",))]

        @hookimpl
        def dicomwright_executors():
            return [ExecutorSpec(name="acme", summary="s", target="a:b")]

        @hookimpl
        def dicomwright_validators():
            return [ValidatorSpec(name="acme", summary="s", target="a:b")]

        @hookimpl
        def dicomwright_commands():
            return [CommandSpec(name="acme", summary="s", target="a:b")]

        @hookimpl(wrapper=True)
        def dicomwright_build(source):
            return (yield)
        """,
    )
    found = load()
    assert record("acme-all", found).kinds == (*KINDS, "build")
    for kind in KINDS:
        assert any("acme" in name for name in found.registry(kind).names())


def test_no_hook_at_all_is_fine(site, record):
    site.add("acme-empty")
    assert (record("acme-empty").status, record("acme-empty").kinds) == ("loaded", ())


READERS = "@hookimpl\ndef dicomwright_readers(): "
IMPORTING = "importing acme_bad_plugin failed: "
CALLING = "calling dicomwright_readers failed: "

# code of the plug-in, status of its record, start of its reason
FAULTS = {
    "import error": (
        "import acme_absent",
        "failed",
        IMPORTING + "ModuleNotFoundError: No module named 'acme_absent'",
    ),
    "syntax error": ("def", "failed", IMPORTING + "SyntaxError: invalid syntax"),
    "exit at import": ("import sys; sys.exit(0)", "failed", IMPORTING + "it called sys.exit(0)"),
    "base exception": ("class Odd(BaseException): pass\nraise Odd", "failed", IMPORTING + "Odd"),
    "text of the exception fails": (
        "class Odd(Exception):\n    def __str__(self): raise OSError\nraise Odd",
        "failed",
        IMPORTING + "Odd: its text cannot be made (OSError)",
    ),
    "control characters": (
        "raise ValueError('a\\x1b[31mb\\nc')",
        "failed",
        IMPORTING + r"ValueError: a\x1b[31mb c",
    ),
    "endless recursion": (
        "def f(): return f()\nf()",
        "failed",
        IMPORTING + "RecursionError: maximum recursion",
    ),
    "misspelt hook": (
        "@hookimpl\ndef dicomwright_reader(): return []",
        "failed",
        "dicomwright_reader is not a hook; did you mean dicomwright_readers?",
    ),
    "two misspelt hooks": (
        "@hookimpl\ndef dicomwright_encoder(): return []\n@hookimpl\ndef zzz(): return []",
        "failed",
        "dicomwright_encoder is not a hook; did you mean dicomwright_encoders?; zzz is not a hook",
    ),
    "forgotten mark": (
        "def dicomwright_readers(): return []",
        "failed",
        "dicomwright_readers is not marked with @hookimpl",
    ),
    "too many arguments": (
        "@hookimpl\ndef dicomwright_readers(config): return []",
        "incompatible",
        'dicomwright_readers takes the argument "config", which does not exist (there are: none)',
    ),
    "too many arguments of the wrapper": (
        "@hookimpl(wrapper=True)\ndef dicomwright_build(source, sink): return (yield)",
        "incompatible",
        'dicomwright_build takes the argument "sink", which does not exist (there are: source, blueprint, ',
    ),
    "wrapper that is none": (
        "@hookimpl\ndef dicomwright_build(source): return 1",
        "failed",
        "dicomwright_build must be marked with @hookimpl(wrapper=True)",
    ),
    "wrapper of the old kind": (
        "@hookimpl(hookwrapper=True)\ndef dicomwright_build(source): yield",
        "failed",
        "dicomwright_build must be marked with @hookimpl(wrapper=True)",
    ),
    "wrapper where descriptors are due": (
        "@hookimpl(wrapper=True)\ndef dicomwright_readers(): return (yield)",
        "failed",
        "dicomwright_readers gives descriptors and cannot be marked with @hookimpl(wrapper=True)",
    ),
    "hook raises": (READERS + "raise OSError('no')", "failed", CALLING + "OSError: no"),
    "hook raises half-way": (
        READERS + "yield ReaderSpec(name='half', summary='s', target='a:b'); raise OSError('no')",
        "failed",
        CALLING + "OSError: no",
    ),
    "hook exits": (READERS + "raise SystemExit('bye')", "failed", CALLING + "it called sys.exit('bye')"),
    "hook gives nothing": (
        READERS + "pass",
        "failed",
        CALLING + "TypeError: 'NoneType' object is not iterable",
    ),
    "hook gives one descriptor": (
        READERS + "return ReaderSpec(name='one', summary='s', target='a:b')",
        "failed",
        CALLING + "TypeError: 'ReaderSpec' object is not iterable",
    ),
    "hook gives no end": (
        "import itertools\n" + READERS + "return itertools.count()",
        "failed",
        "dicomwright_readers gives more than 1000 descriptors",
    ),
    "garbage": (
        READERS + "return [1, 'nifti', dict]",
        "failed",
        "dicomwright_readers gives int, str, type, not ReaderSpec",
    ),
    "descriptor of another kind": (
        READERS + "return [FunctionSpec(name='f', summary='s', target='a:b')]",
        "failed",
        "dicomwright_readers gives FunctionSpec, not ReaderSpec",
    ),
    "descriptor without fields": (
        READERS + "return [ReaderSpec.__new__(ReaderSpec)]",
        "failed",
        "loading it failed: AttributeError: ",
    ),
    "bad descriptor": (
        READERS + "return [ReaderSpec(name='acme', summary='s', target='a.b', extensions=('nii',))]",
        "failed",
        CALLING + "ReaderSpec 'acme': target is 'a.b'; it is \"package.module:object\"; "
        "ReaderSpec 'acme': extensions has 'nii'; each is such as \".nii.gz\" (lower case)",
    ),
    "unknown field": (
        READERS + "return [ReaderSpec(name='a', summary='s', target='a:b', suffixes=())]",
        "failed",
        CALLING + "TypeError: ReaderSpec.__init__() got an unexpected keyword argument 'suffixes'",
    ),
    "one name twice": (
        READERS + "return [ReaderSpec(name='a', summary='s', target='a:b')] * 2",
        "failed",
        "dicomwright_readers gives the name a twice",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_fault_is_a_record_and_touches_nobody(site, record, fault):
    code, status, reason = FAULTS[fault]
    site.good("aaa-first")
    site.good("zzz-last")
    before = load()
    site.add("acme-bad", code)
    after = load()
    one = record("acme-bad", after)
    assert (one.status, one.kinds) == (status, ())
    assert one.reason.startswith(reason)
    assert [other for other in after.records if other is not one] == list(before.records)
    for kind in KINDS:
        assert after.registry(kind).names() == before.registry(kind).names()
    assert after.registry("reader").resolve("last")().read(None, {}) == "zzz-last"


def test_traceback_is_kept_for_its_author(site, record):
    site.add("acme-bad", "raise ValueError('here')")
    assert 'acme_bad_plugin.py", line 3' in record("acme-bad").details


def test_interrupt_is_not_swallowed_and_stdout_is_restored(site):
    site.add("acme-bad", "raise KeyboardInterrupt")
    stdout = sys.stdout
    with pytest.raises(KeyboardInterrupt):
        load()
    assert sys.stdout is stdout


def test_plugin_that_was_refused_runs_no_wrapper(site):
    site.add(
        "acme-bad",
        """
        @hookimpl(wrapper=True)
        def dicomwright_build(source):
            raise AssertionError
            yield

        @hookimpl
        def dicomwright_readers():
            return [1]
        """,
    )
    assert load().around_build(lambda: 5, source=1, blueprint=2, parents=3) == 5


@pytest.mark.parametrize(
    ("requirement", "status"),
    [
        ("dicomwright>=900", "incompatible"),
        ("Dicomwright (<0.0.1)", "incompatible"),
        ("dicomwright>=900; python_version < '3'", "loaded"),
        ("dicomwright>=900; extra == 'dev'", "loaded"),
        ("dicomwright-nifti>=900", "loaded"),
        ("dicomwright>=0.0.1", "loaded"),
        ("dicomwright", "loaded"),
        ("%%", "loaded"),
        ("dicomwright >>> 1", "failed"),
        ("DICOMWRIGHT[x]~=900.1", "incompatible"),
    ],
)
def test_core_version_is_checked_before_import(site, record, requirement, status):
    module = site.add("acme-new", requires=("numpy", requirement))
    assert record("acme-new").status == status
    assert (module in sys.modules) is (status == "loaded")


def test_wrong_core_version_says_what_to_do(site, record):
    site.add("acme-new", requires=("dicomwright>=900",))
    assert record("acme-new").reason == (
        f"it needs dicomwright>=900, this is dicomwright {core_version()}; "
        "install a version of acme-new that fits"
    )


@pytest.mark.parametrize(
    "value", ["acme mod!", "acme-mod", "acme..mod", "acme:", ":acme", "", "1acme", "a:b:c"]
)
def test_malformed_entry_point(site, record, value):
    site.good("acme-tomo")
    site.add("acme-bad", entry_points=f"[dicomwright]\nbad = {value}\n")
    assert record("acme-bad").status == "failed"
    assert record("acme-bad").reason.startswith(f'its entry point "bad = {value}" is malformed')
    assert record("acme-tomo").status == "loaded"


@pytest.mark.parametrize("text", ["[dicomwright]\nno equals sign\n", "[dicomwright]\n[x]\n=\nlonely\n"])
def test_entry_points_file_that_cannot_be_parsed(site, record, text):
    site.good("acme-tomo")
    site.add("acme-bad", entry_points=text)
    assert record("acme-bad").status == "failed"
    assert record("acme-bad").reason.startswith("its entry_points.txt cannot be read: TypeError")
    assert record("acme-tomo").status == "loaded"


def test_entry_points_file_that_is_no_text(site, record):
    site.good("acme-tomo")
    site.add("acme-bad")
    (site.folder / "acme_bad-1.0.dist-info" / "entry_points.txt").write_bytes(
        b"[dicomwright]\n\xff\xfe = x\n"
    )
    assert record("acme-bad").reason.startswith("its entry_points.txt cannot be read: UnicodeDecodeError")
    assert record("acme-tomo").status == "loaded"


def test_entry_points_of_others_are_left_alone(site):
    site.add(
        "other-tool", entry_points="[other]\nx = not even: this\n[console_scripts]\ndicomwright-x = a:b\n"
    )
    assert not [one for one in load().records if one.distribution == "other-tool"]


def test_entry_point_of_something_that_is_no_module(site, record):
    site.add("acme-bad", "x = 3", entry_points="[dicomwright]\nbad = acme_bad_plugin:x\n")
    assert record("acme-bad").reason == "its entry point names an object of type int, not a module"


def test_distribution_without_metadata(site):
    site.add("acme-bare")
    (site.folder / "acme_bare-1.0.dist-info" / "METADATA").unlink()
    records = [one for one in load().records if one.name == "bare"]
    assert [(one.distribution, one.version, one.status) for one in records] == [
        ("unknown", "unknown", "loaded")
    ]


def test_metadata_with_windows_line_ends_and_a_description(site, record):
    site.add("acme-tomo")
    (site.folder / "acme_tomo-1.0.dist-info" / "METADATA").write_bytes(
        b"Metadata-Version: 2.1\r\nname: acme-tomo\r\nVersion: 1.0\r\nRequires-Dist: dicomwright\r\n"
        b" <0.0.1\r\n\r\nVersion: 9\r\nRequires-Dist: dicomwright>900\r\n"
    )
    assert record("acme-tomo").version == "1.0"
    assert record("acme-tomo").reason.startswith("it needs dicomwright <0.0.1, this is")


def test_distribution_in_the_older_layout(site, record):
    site.add("acme-tomo")
    folder = (site.folder / "acme_tomo-1.0.dist-info").rename(site.folder / "acme_tomo-1.0.egg-info")
    (folder / "METADATA").rename(folder / "PKG-INFO")
    assert record("acme-tomo").status == "loaded"


def test_empty_leftover_of_a_distribution_hides_nothing(site, tmp_path, monkeypatch, record):
    (tmp_path / "front" / "acme_tomo-0.9.dist-info").mkdir(parents=True)
    site.add("acme-tomo")
    monkeypatch.syspath_prepend(str(tmp_path / "front"))
    assert record("acme-tomo").status == "loaded"


@pytest.mark.parametrize("old", ["old", "new"])
def test_older_copy_later_on_the_path_is_not_seen(site, tmp_path, monkeypatch, record, old):
    site.add("acme-tomo", version="2.0", name="new")
    behind = type(site)(tmp_path / "behind")
    behind.folder.mkdir()
    behind.add("acme-tomo", version="1.0", name=old)
    monkeypatch.setattr(sys, "path", [*sys.path, str(behind.folder)])
    assert (record("acme-tomo").version, record("acme-tomo").name) == ("2.0", "new")


def test_order_does_not_depend_on_the_path(site):
    for distribution in ("acme-z", "acme-a", "acme-m"):
        site.good(distribution)
    here = load().records
    assert [one.name for one in here if one.distribution.startswith("acme")] == ["a", "m", "z"]
    assert here[0].name == "builtin"


def test_what_is_printed_at_import_does_not_reach_stdout(site, capfd):
    site.add(
        "acme-loud",
        """
        import os, subprocess, sys
        print("by print")
        os.write(1, b"by descriptor\\n")
        subprocess.run([sys.executable, "-c", "print('by child')"])

        @hookimpl
        def dicomwright_readers():
            print("by hook")
            return []
        """,
    )
    load()
    print("ours")  # noqa: T201  # what is tested
    out, err = capfd.readouterr()
    assert out == "ours\n"
    for who in ("print", "descriptor", "child", "hook"):
        assert f"by {who}" in err


def test_standard_module_of_metadata_may_be_imported_before_or_after(site):
    site.good("acme-tomo")
    tail = (
        "from dicomwright.plugins import load; print([r.status for r in load().records if r.name == 'tomo'])"
    )
    for code in (
        f"import importlib.metadata; {tail}",
        f"{tail}; import importlib.metadata as m; m.version('pluggy')",
    ):
        done = site.run(code)
        assert (done.stdout, done.stderr) == ("['loaded']\n", "")


def test_unknown_kind():
    with pytest.raises(
        PluginError, match='there is no kind of plug-in "writer"; it is one of element-type, reader'
    ):
        load(enabled=False).registry("writer")


def test_builtins_come_through_the_same_hooks():
    found = load(enabled=False)
    one = found.records[0]
    assert (one.name, one.distribution, one.kinds) == (
        "builtin",
        "dicomwright",
        ("element-type", "encoder", "codec", "function", "executor", "validator"),
    )
    assert found.registry("encoder").names() == ("image", "planar-stack")
    assert {"copy", "static", "discard", "keyed-index"} <= set(found.registry("element-type").names())
    assert {"uid", "today", "instance-number"} <= set(found.registry("function").names())
