"""Which reader a source gets."""

from __future__ import annotations

import gzip
import os
import re

import pytest

from dicomwright.errors import DicomwrightError, PluginError, SourceError
from dicomwright.plugins import OptionSpec, ReaderSpec, load
from dicomwright.plugins.options import complete_options
from dicomwright.plugins.selection import HEAD_SIZE, choose_reader


@pytest.fixture
def choose(site, tmp_path, monkeypatch):
    """Return a function that writes a file and returns who reads it; only this test's plug-ins are there."""
    monkeypatch.setenv(
        "DICOMWRIGHT_DISABLE_PLUGINS", "dicomwright-nifti,dicomwright-pdf,dicomwright-raw,dicomwright-sc"
    )

    def chosen(file: str, content: bytes = b"0123456789", name: str | None = None) -> str:
        (tmp_path / file).write_bytes(content)
        reader_name, reader = choose_reader(tmp_path / file, load(), name)
        assert reader.read(None, {}).rpartition("-")[2] == reader_name
        return reader_name

    assert site.folder.parent == tmp_path
    return chosen


def fault(choose, *arguments, error=DicomwrightError, **more) -> str:
    with pytest.raises(error) as caught:
        choose(*arguments, **more)
    return re.sub(r"/.*/", "", str(caught.value))


def test_by_explicit_name_whatever_the_file_is_called(site, choose):
    site.good("acme-tomo", extensions=(".tomo",), can_read="1/0")
    site.good("acme-scan", extensions=(".scan",))
    assert choose("a.scan", name="tomo") == "tomo"


@pytest.mark.parametrize("file", ["a.tomo", "A.TOMO", "a.b.tomo", ".tomo"])
def test_by_extension_without_being_asked(site, choose, file):
    site.good("acme-tomo", extensions=(".tomo",), can_read="1/0")
    site.good("acme-scan", extensions=(".scan",))
    assert choose(file) == "tomo"


def test_longest_extension_wins(site, choose):
    site.good("acme-zip", extensions=(".gz",))
    site.good("acme-tomo", extensions=(".tomo", ".tomo.gz"))
    assert choose("a.tomo.gz") == "tomo"
    assert choose("a.gz") == "zip"


def test_magic_bytes_decide_between_readers_of_one_extension(site, choose):
    site.good("acme-a", extensions=(".img",), magic=((4, b"AAAA"), (0, b"A2")))
    site.good("acme-b", extensions=(".img",), magic=((4, b"BBBB"),))
    assert choose("x.img", b"0000AAAA") == "a"
    assert choose("x.img", b"0000BBBB") == "b"
    assert choose("x.img", b"A2") == "a"


def test_magic_bytes_alone(site, choose):
    site.good("acme-a", magic=((4, b"AAAA"),), extensions=(".a",))
    site.good("acme-b", magic=((HEAD_SIZE - 1, b"B"),), extensions=(".b",))
    assert choose("nameless", b"0000AAAA") == "a"
    assert choose("x.unknown", b"0000AAAA") == "a"
    assert choose("nameless", bytes(HEAD_SIZE - 1) + b"B") == "b"


def test_magic_bytes_inside_gzip(site, choose):
    site.good("acme-a", magic=((4, b"AAAA"),), extensions=(".a",))
    whole = gzip.compress(b"0000AAAA" + os.urandom(20_000))
    assert choose("nameless", whole) == "a"
    assert choose("nameless", whole[:5000]) == "a"


def test_gzip_bomb_is_inflated_a_little_only(site, choose):
    site.good("acme-a", magic=((0, b"A"),), extensions=(".a",))
    assert "nothing that is installed reads .gz files" in fault(
        choose, "bomb.gz", gzip.compress(bytes(50_000_000))
    )


def test_name_and_bytes_that_disagree_are_settled_by_asking(site, choose):
    site.good("acme-a", extensions=(".a",), magic=((0, b"A"),), can_read="head.startswith(b'A')")
    site.good("acme-b", extensions=(".b",), magic=((0, b"B"),), can_read="head.startswith(b'B')")
    assert choose("x.a", b"B...") == "b"


def test_damaged_file_goes_to_the_reader_of_its_name(site, choose):
    site.good("acme-a", extensions=(".a", ".a.gz"), magic=((0, b"A"),), can_read="False")
    assert choose("x.a", b"garbage") == "a"
    assert choose("x.a", b"") == "a"
    assert choose("x.a.gz", b"\x1f\x8b garbage") == "a"


def test_readers_are_asked_in_case_of_doubt(site, choose):
    site.good("acme-a", extensions=(".img",), can_read="path.name == 'x.img' and head == b'for a'")
    site.good("acme-b", extensions=(".img",), can_read="head == b'for b'")
    assert choose("x.img", b"for a") == "a"
    assert choose("x.img", b"for b") == "b"


def test_tie_lists_the_candidates(site, choose):
    site.good("acme-b", extensions=(".img",))
    site.good("acme-a", extensions=(".img",))
    assert fault(choose, "x.img", error=PluginError) == (
        "x.img can be read by several readers: a (acme-a 1.0), b (acme-b 1.0); choose one: --reader a"
    )


def test_none_of_the_candidates_takes_it(site, choose):
    site.good("acme-a", extensions=(".img",), can_read="False")
    site.good("acme-b", extensions=(".img",), can_read="1/0")
    site.good("acme-c", extensions=(".img",), can_read="__import__('sys').exit(3)")
    site.add(
        "acme-d", site.reader("acme-d", extensions=(".img",)), other={"acme_d_reader": "import acme_absent"}
    )
    assert fault(choose, "x.img", error=SourceError) == (
        "x.img is taken by none of its readers: a: not one of its files; "
        "b: ZeroDivisionError: division by zero; c: it called sys.exit(3); "
        'd: reader "d" of plug-in "d" (acme-d 1.0) cannot be used: it needs the Python module "acme_absent", '
        "which is not installed; name the reader to see what it has against the file: --reader NAME"
    )


def test_readers_that_say_nothing_about_files_are_asked_last(site, choose):
    site.good("acme-any", can_read="head == b'mine'")
    site.good("acme-a", extensions=(".a",))
    assert choose("x.what", b"mine") == "any"
    assert choose("x.a", b"mine") == "a"
    assert "nothing that is installed reads .what files" in fault(choose, "x.what", b"not mine")


def test_nothing_reads_it(site, choose):
    site.good("acme-a", extensions=(".a", ".b.gz"))
    site.add("acme-bad", "import acme_absent")
    told = fault(choose, "x.xyz", error=SourceError)
    assert told.startswith(
        "x.xyz cannot be read: nothing that is installed reads .xyz files, and its first bytes are not known "
        "either; not usable, and may have had it: "
    )
    assert '"bad" of acme-bad 1.0 (failed); installed' in told
    assert told.endswith("; installed readers: a (.a .b.gz)")
    assert "reads .foo.gz files" in fault(choose, "x.foo.gz")
    assert "its name has no extension, and the file is empty" in fault(choose, "nameless", b"")


def test_reader_is_there_and_its_dependency_is_missing(site, choose):
    site.add(
        "acme-a",
        site.reader("acme-a", extensions=(".a",)),
        requires=("acme-absent>=1",),
        other={"acme_a_reader": "import acme_absent"},
    )
    assert fault(choose, "x.a", error=PluginError) == (
        'reader "a" of plug-in "a" (acme-a 1.0) cannot be used: it needs the Python module "acme_absent", '
        'which is not installed; python -m pip install "acme-absent>=1"'
    )


def test_known_reader_is_not_installed(tmp_path, site, monkeypatch):  # noqa: ARG001  # the folder comes first
    (tmp_path / "x.NII.gz").write_bytes(b"?")
    found = load(enabled=False)
    for record in found.records[1:]:
        if record.distribution == "dicomwright-nifti":  # installed here, so it is called switched off
            with pytest.raises(
                PluginError, match=r"comes from dicomwright-nifti .*, which is disabled: plug-ins are"
            ):
                choose_reader(tmp_path / "x.NII.gz", found)
    registry = found.registry("reader")
    monkeypatch.setitem(found.registries, "reader", type(registry)("reader", {}))
    with pytest.raises(PluginError) as caught:
        choose_reader(tmp_path / "x.NII.gz", found)
    assert str(caught.value) == (
        f'{tmp_path}/x.NII.gz cannot be read: reader "nifti" is not installed; '
        "python -m pip install dicomwright-nifti"
    )


def test_known_reader_is_broken(site, tmp_path):
    site.add("dicomwright-pdf", "import acme_absent")
    (tmp_path / "x.pdf").write_bytes(b"%PDF-1.7")
    with pytest.raises(
        PluginError, match=r"x\.pdf cannot be read: reader \"pdf\" comes from dicomwright-pdf 1.0, wh"
    ):
        choose_reader(tmp_path / "x.pdf", load())


def test_readers_that_claim_one_name(site, choose):
    site.good("acme-one", "scan", extensions=(".scan",))
    site.good("beta-two", "scan", extensions=(".scan",))
    assert 'reader "scan" is claimed by plug-in "one" of acme-one 1.0 and' in fault(choose, "x.scan")


@pytest.mark.parametrize(
    ("file", "content"), [("x.dcm", b"?"), ("IM0001", bytes(128) + b"DICM"), ("x.a", bytes(128) + b"DICM")]
)
def test_dicom_file_is_pointed_to_parent(site, choose, file, content):
    site.good("acme-a", extensions=(".a",))
    site.good("acme-any")
    assert fault(choose, file, content, error=SourceError) == (
        f"{file} is a DICOM file; it cannot be the source of a build; give the series that the result "
        "belongs to as --parent, and the new image as the source"
    )


def test_plugin_may_read_dicom(site, choose):
    site.good("acme-dicom", extensions=(".dcm",), magic=((128, b"DICM"),))
    assert choose("IM0001", bytes(128) + b"DICM") == "dicom"


@pytest.mark.parametrize("name", [None, "tomo"])
def test_no_such_file(site, choose, tmp_path, name):  # noqa: ARG001  # choose switches the others off
    site.good("acme-tomo")
    with pytest.raises(SourceError, match=r"absent\.tomo cannot be read: No such file or directory$"):
        choose_reader(tmp_path / "absent.tomo", load(), name)


def test_name_that_no_file_can_have(site):  # noqa: ARG001  # a fresh folder
    with pytest.raises(SourceError, match=r"^a\\x00b cannot be read: ValueError: .*embedded null"):
        choose_reader("a\0b", load())


def test_pipe_is_refused_without_waiting(site, tmp_path):  # noqa: ARG001  # a fresh folder
    os.mkfifo(tmp_path / "x.nii")
    for name in (None, "nifti"):
        with pytest.raises(SourceError, match="is no regular file but a pipe, socket or device"):
            choose_reader(tmp_path / "x.nii", load(), name)


def test_folder(site, tmp_path):
    site.good("acme-tomo")
    with pytest.raises(
        SourceError, match="is a folder; a source is one file; name the file, or give a folder of"
    ):
        choose_reader(tmp_path, load())
    assert choose_reader(tmp_path, load(), "tomo")[0] == "tomo"


def test_file_that_may_not_be_read(site, tmp_path, monkeypatch):  # noqa: ARG001  # a fresh folder
    (tmp_path / "x.nii").write_bytes(b"?")

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("dicomwright.plugins.selection.os.open", refuse)
    with pytest.raises(SourceError, match=r"x\.nii cannot be read: Permission denied$"):
        choose_reader(tmp_path / "x.nii", load())


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("Reader = 7", "is no reader: it lacks can_read(path, head) or read(path, options)"),
        ("class Reader: pass", "is no reader: it lacks can_read(path, head) or read(path, options)"),
        (
            "class Reader:\n    def __init__(self, x): pass",
            "cannot be made: TypeError: Reader.__init__() missing 1",
        ),
        (
            "class Reader:\n    def __init__(self): raise SystemExit",
            "cannot be made: it called sys.exit(None)",
        ),
    ],
)
def test_target_that_is_no_reader(site, choose, code, text):
    site.add("acme-a", site.reader("acme-a", extensions=(".a",)), other={"acme_a_reader": code})
    assert fault(choose, "x.a", error=PluginError).startswith(f'reader "a" of acme-a 1.0 {text}')


def test_reader_may_be_an_object(site, choose):
    code = """
        class _Reader:
            def can_read(self, path, head): return True
            def read(self, path, options): return "acme-a"
        Reader = _Reader()
    """
    site.add("acme-a", site.reader("acme-a", extensions=(".a",)), other={"acme_a_reader": code})
    assert choose("x.a") == "a"


def test_options_are_completed_and_unknown_ones_all_named():
    options = (OptionSpec(name="dpi", summary="s", default="150"), OptionSpec(name="password", summary="s"))
    spec = ReaderSpec(name="pages", summary="s", target="a:b", options=options)
    assert complete_options(spec, {}) == {"dpi": "150"}
    assert complete_options(spec, {"dpi": "75", "password": "x"}) == {"dpi": "75", "password": "x"}
    with pytest.raises(PluginError) as caught:
        complete_options(spec, {"dpo": "1", "zzz": "2", "dpi": "3"})
    assert [str(problem) for problem in caught.value.problems] == [
        '"pages" has no option "dpo"; did you mean dpi? it has dpi, password',
        '"pages" has no option "zzz"; it has dpi, password',
    ]
    bare = ReaderSpec(name="bare", summary="s", target="a:b")
    with pytest.raises(PluginError, match='"bare" has no option "x"; it has none'):
        complete_options(bare, {"x": ""})
