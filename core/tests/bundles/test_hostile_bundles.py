"""Bundles that mean harm: each gives one clear error, in time and memory that do not matter."""

from __future__ import annotations

import contextlib
import io
import os
import stat
import struct
import time
import zipfile

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from dicomwright.bundles.bundle_set import BundleSet
from dicomwright.bundles.load import load_blueprint
from dicomwright.errors import BlueprintError

HEAD = 'schema = 1\nname = "site"\nversion = "1.0"\n'


def refused(path, name="site/base"):
    start = time.perf_counter()
    with pytest.raises(BlueprintError) as caught:
        load_blueprint(name, bundles=[path])
    assert time.perf_counter() - start < 5
    text = str(caught.value)
    assert "Traceback" not in text
    assert text.isprintable() or "\n" in text
    return text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "the file does not name its format"),
        ("schema = 2\n" + HEAD[11:] + "[blueprints]\na='a.toml'", "install a newer dicomwright"),
        (HEAD, "names no blueprints"),
        (HEAD + "blueprints = 3", "names no blueprints"),
        (
            HEAD + "blueprint = 3\n[blueprints]\na = 'a.toml'",
            'unknown key "blueprint"; did you mean blueprints?',
        ),
        (HEAD + "[blueprints]\na = '../a.toml'", 'bundle.toml:5: "../a.toml" leads out of the folder'),
        (HEAD + "[blueprints]\na = '/etc/a.toml'", "leads out of the folder"),
        (HEAD + "[blueprints]\na = 'c:\\\\a.toml'", "has characters that not every system allows"),
        (HEAD + '[blueprints]\na = "a\\u0000.toml"', "has characters that not every system allows"),
        (HEAD + "[blueprints]\na = '/etc/passwd'", "is not the path of a .toml file"),
        (HEAD + "[blueprints]\na = 3", "is not the path of a .toml file"),
        (HEAD + "[blueprints]\n'../a' = 'a.toml'", "cannot be the name of a blueprint"),
        (HEAD + "[blueprints]\n'' = 'a.toml'", "cannot be the name of a blueprint"),
        (HEAD + "[blueprints]\nCT = 'a.toml'", "cannot be the name of a blueprint"),
        (HEAD + "[blueprints.a]\nb = 'a.toml'", "is not the path of a .toml file"),
        (HEAD.replace("site", "../site"), 'name is "../site"'),
        (HEAD.replace("site", "mr image"), 'name is "mr image"'),
        (HEAD.replace("site", "x" * 65), "at most 64 characters"),
        (HEAD.replace("site", "dicomwright") + "[blueprints]\na = 'a.toml'", "dicomwright's own"),
        (HEAD.replace("site", "dicomwright-nifti") + "[blueprints]\na = 'a.toml'", "dicomwright's own"),
        (HEAD.replace("site", "mr-image") + "[blueprints]\na = 'a.toml'", "the name of a shipped blueprint"),
        (HEAD.replace("1.0", "one"), 'version is "one"'),
        (HEAD + "requires-dicomwright = '>>1'", "as PEP 440 says"),
        (HEAD + "requires-plugins = ['x @ https://example.org/x.zip']", "it names an address"),
        (HEAD + "requires-plugins = ['!!']", "PEP 508"),
        (HEAD + "requires-plugins = 'x'", "is not a list"),
        (HEAD + "requires-plugins = [\"x; python_version ~= 'y'\"]", "its marker cannot be decided"),
        (HEAD.replace("1.0", "1.0\\n"), "version is"),
        (HEAD + 'contact = "a\\nb"', "contact is not one line of text"),
        (HEAD.replace("1.0", "1." * 40 + "1"), "a version as PEP 440 says"),
        ("name." + ".".join("a" * 3000) + " = 1", "bundle.toml:1: the values are nested too deeply"),
        ("schema = 0x" + "f" * 6000, "a whole number has thousands of digits"),
        ("x = " + "[" * 5000, "nested too deeply"),
        ("x = " + "9" * 6000, "bundle.toml"),
    ],
)
def test_a_bundle_toml_that_is_wrong(bundle_folder, text, expected):
    assert expected in refused(bundle_folder(files={"bundle.toml": text}))


def test_a_record_of_thousands_of_problems_is_short(bundle_folder):
    text = HEAD + "".join(f"k{number} = 1\n" for number in range(5000))
    (record,) = BundleSet([bundle_folder(files={"bundle.toml": text})], installed=False).records
    assert record.reason.endswith("; and 4996 more, see: dicomwright bundle check")
    assert record.reason.count("unknown key") == 5


def test_all_that_is_wrong_is_said_at_once(bundle_folder):
    text = "name = 3\nversion = 4\nnam = 'x'\n[blueprints]\n'A B' = '../x'\n"
    assert refused(bundle_folder(files={"bundle.toml": text})).startswith("6 problems")


@pytest.mark.parametrize("content", [b"\xff\xfes\x00", b'name = "\xff"', b"\x00"])
def test_bytes_that_are_no_text(bundle_folder, content):
    assert "bundle.toml" in refused(bundle_folder(files={"bundle.toml": content}))


def test_thousands_of_blueprints(bundle_folder):
    text = HEAD + "[blueprints]\n" + "".join(f"a{number} = 'a.toml'\n" for number in range(900))
    assert "more than 500 blueprints" in refused(bundle_folder(files={"bundle.toml": text}))


def test_a_huge_bundle_toml(bundle_folder):
    assert "larger than" in refused(bundle_folder(files={"bundle.toml": b"#" * 70_000}))


def test_a_huge_blueprint(bundle_folder):
    assert "larger than the 256 kB" in refused(bundle_folder(files={"base.toml": b"#\n" * 200_000}))


def test_a_fifo(bundle_folder):
    root = bundle_folder(files={"base.toml": None, "bundle.toml": None})
    os.mkfifo(root / "bundle.toml")
    assert "not a regular file" in refused(root)
    (root / "bundle.toml").unlink()
    (root / "bundle.toml").write_text(HEAD + "[blueprints]\nbase = 'base.toml'\n")
    os.mkfifo(root / "base.toml")
    assert "not a regular file" in refused(root)


@pytest.mark.parametrize("name", ["bundle.toml", "base.toml"])
def test_links_that_lead_out(bundle_folder, tmp_path, name):
    root = bundle_folder()
    outside = tmp_path / "outside.toml"
    (root / name).rename(outside)
    (root / name).symlink_to(outside)
    assert "is a link that leads out of the folder" in refused(root)


def test_a_linked_folder(bundle_folder, tmp_path):
    root = bundle_folder()
    (root / "parts").rename(tmp_path / "parts")
    (root / "parts").symlink_to(tmp_path / "parts")
    assert "is a link" in refused(root, "site/ct")


def test_links_as_container_platforms_mount_folders(bundle_folder):
    root = bundle_folder()
    (root / "..2026").mkdir()
    for name in ("base.toml", "bundle.toml"):
        (root / name).rename(root / "..2026" / name)
        (root / name).symlink_to(f"..data/{name}")
    (root / "..data").symlink_to("..2026")
    assert "InstitutionName" in load_blueprint("site/base", bundles=[root])


def test_a_folder_of_very_many_files(bundle_folder):
    root = bundle_folder()
    for number in range(2100):
        (root / f"f{number}").touch()
    assert "more than the 2000 files" in refused(root)


def test_a_huge_file_beside_the_blueprints(bundle_folder):
    root = bundle_folder()
    with (root / "data.bin").open("wb") as stream:
        stream.truncate(3 << 30)
    assert "up to data.bin have more than 64 MB together" in refused(root)


def test_a_link_to_nowhere(bundle_folder):
    root = bundle_folder()
    (root / "table.csv").symlink_to("nowhere")
    assert "site/table.csv is a link to a file that does not exist" in refused(root)


def test_a_name_that_not_every_system_allows(bundle_folder):
    root = bundle_folder(files={"a\nb.csv": ""})
    assert f"{root}: 'a\\nb.csv' has characters that not every system allows" in refused(root)


def test_hidden_files_are_no_part(bundle_folder):
    from dicomwright.bundles.bundle import open_bundle

    bundle = open_bundle(
        bundle_folder(files={".git/config": "x", "__pycache__/a.pyc": "x", "dicomwright.lock": "x"})
    )
    assert sorted(bundle.hashes()) == ["README.md", "base.toml", "bundle.toml", "parts/ct.toml"]
    with pytest.raises(BlueprintError, match="is hidden"):
        bundle.read(".git/config", 100)


def test_no_bundle_at_all(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.zip").write_text("no zip")
    assert "has no bundle.toml" in refused(tmp_path / "empty")
    assert "is not a zip" in refused(tmp_path / "text.zip")
    assert "does not exist" in refused(tmp_path / "none")
    assert "none\\x00" in refused("none\0")


def raw_zip(path, entries):
    """Write a zip whose entries may be anything: (name or ZipInfo, bytes)."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries:
            archive.writestr(name, data)
    return path


@pytest.fixture
def good():
    return [("bundle.toml", HEAD + "[blueprints]\nbase = 'base.toml'\n"), ("base.toml", "schema = 1\n")]


@pytest.mark.parametrize("name", ["../evil.toml", "/etc/evil.toml", "a/../../evil.toml", "C:\\evil.toml"])
def test_a_zip_that_leads_out(tmp_path, good, name):
    text = refused(raw_zip(tmp_path / "site.zip", [*good, (name, "x")]))
    assert "leads out of the folder" in text or "not every system allows" in text
    assert not (tmp_path.parent / "evil.toml").exists()


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_zip_with_a_file_twice(tmp_path, good):
    text = refused(raw_zip(tmp_path / "site.zip", [*good, ("base.toml", "schema = 2\n")]))
    assert 'has the file "base.toml" twice' in text
    assert 'has the file "base.toml" twice' in refused(
        raw_zip(tmp_path / "other.zip", [*good, ("./base.toml", "schema = 2\n")])
    )


def test_a_zip_with_a_link(tmp_path, good):
    link = zipfile.ZipInfo("link.toml")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    assert "link.toml is a link" in refused(raw_zip(tmp_path / "site.zip", [*good, (link, "/etc/passwd")]))


def test_a_zip_bomb_that_says_so(tmp_path, good):
    text = refused(raw_zip(tmp_path / "site.zip", [*good, ("bomb", b"\0" * (65 << 20))]))
    assert "more than 64 MB together" in text


def test_a_zip_bomb_that_lies(tmp_path, good):
    path = raw_zip(tmp_path / "site.zip", [good[0], ("base.toml", b"#" * (20 << 20))])
    data = bytearray(path.read_bytes())
    size = struct.pack("<I", 20 << 20)
    while size in data:
        at = data.index(size)
        data[at : at + 4] = struct.pack("<I", 100)
    path.write_bytes(data)
    assert "site.zip/base.toml" in refused(path)


def test_a_zip_of_very_many_files(tmp_path, good):
    text = refused(raw_zip(tmp_path / "site.zip", [*good, *((f"f{number}", "") for number in range(2100))]))
    assert "more than the 2000 files" in text


def test_a_huge_zip(tmp_path):
    path = tmp_path / "site.zip"
    with path.open("wb") as stream:
        stream.truncate(17 << 20)
    assert "larger than" in refused(path)


@pytest.mark.parametrize("cut", [10, 200])
def test_a_zip_that_is_cut(tmp_path, good, cut):
    path = raw_zip(tmp_path / "site.zip", good)
    path.write_bytes(path.read_bytes()[:-cut])
    assert "is not a zip" in refused(path)


def test_damaged_bytes_in_a_zip(tmp_path, good):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, data in good:
            archive.writestr(name, data)
    path = tmp_path / "site.zip"
    path.write_bytes(buffer.getvalue().replace(b"schema = 1\n\x50", b"schema = 7\n\x50"))
    assert "site.zip/base.toml cannot be read" in refused(path)


def test_an_encrypted_zip(tmp_path, good):
    path = raw_zip(tmp_path / "site.zip", good)
    data = path.read_bytes()
    at = data.index(b"PK\x01\x02") + 8
    path.write_bytes(data[:at] + b"\x01\x00" + data[at + 2 :])
    assert "is encrypted" in refused(path)


def test_nothing_is_written(tmp_path, bundle_zip, monkeypatch):
    path = bundle_zip()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    before = sorted(tmp_path.rglob("*"))
    load_blueprint("site/ct", bundles=[path])
    assert sorted(tmp_path.rglob("*")) == before


def test_a_broken_one_in_the_environment_is_a_record(bundle_folder, tmp_path, monkeypatch):
    monkeypatch.setenv("DICOMWRIGHT_BUNDLES", os.pathsep.join([str(tmp_path / "none"), str(bundle_folder())]))
    found = BundleSet(installed=False)
    assert [record.status for record in found.records] == ["failed", "usable"]
    assert "InstitutionName" in load_blueprint("site/base", bundles=found)
    with pytest.raises(BlueprintError, match="none is broken"):
        load_blueprint("other/base", bundles=found)


def test_a_zip_that_is_packed_in_an_unusual_way(tmp_path, good):
    path = tmp_path / "site.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        for name, data in good:
            archive.writestr(name, data)
    assert "compressed in an unusual way" in refused(path)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=6))
def test_any_damage_of_a_zip_is_one_error_or_none(bundle_zip, changes):
    path = bundle_zip()
    data = bytearray(path.read_bytes())
    for at, value in changes:
        data[at % len(data)] = value
    path.write_bytes(data)
    with contextlib.suppress(BlueprintError):
        load_blueprint("site/ct", bundles=BundleSet([path], installed=False))


@settings(max_examples=60)
@example(text="x" * 256)
@given(text=st.text(max_size=200) | st.binary(max_size=200).map(lambda data: data.decode("latin-1")))
def test_any_text_as_a_name_is_one_error(text):
    with contextlib.suppress(BlueprintError):
        load_blueprint(text, bundles=BundleSet(installed=False))


def test_thousands_of_ways_to_one_file(bundle_folder):
    names = ",\n".join(f'"{"./" * number}base.toml"' for number in range(1, 100))
    root = bundle_folder(files={"parts/ct.toml": f"schema = 1\nextends = [{names}]\n"})
    assert "extends names more than 64 files" in refused(root, "site/ct")


def test_a_small_limit_holds_for_what_was_read_before(bundle_folder):
    from dicomwright.bundles.bundle import open_bundle

    bundle = open_bundle(bundle_folder(files={"table.csv": "x" * 1000}))
    assert len(bundle.read("table.csv", 1000)) == 1000
    with pytest.raises(BlueprintError, match="larger than"):
        bundle.read("table.csv", 999)
