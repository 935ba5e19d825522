"""Locks: every byte of a bundle, and every version of a plug-in."""

from __future__ import annotations

import os
import re
import zipfile
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dicomwright.bundles.bundle_set import BundleSet
from dicomwright.bundles.load import load_blueprint
from dicomwright.bundles.lock import drift, lock_of, read_lock, require_locked, write_lock
from dicomwright.errors import BlueprintError
from dicomwright.plugins import load

PLUGINS = load(enabled=False)


def known(*paths):
    return BundleSet(paths, installed=False)


def lock_in(folder, *paths):
    path = folder / "dicomwright.lock"
    write_lock(lock_of(known(*paths).usable, PLUGINS), path)
    return path


def differences(lock, *paths):
    return [problem.message for problem in drift(read_lock(lock), known(*paths), PLUGINS)]


def test_a_lock_comes_back_as_it_was(bundle_folder, tmp_path):
    bundle = bundle_folder()
    made = lock_of(known(bundle).usable, PLUGINS)
    found = read_lock(lock_in(tmp_path, bundle))
    assert found.bundles == made.bundles
    assert found.sha256 == made.sha256
    assert found.plugins == {"dicomwright": PLUGINS.records[0].version}
    assert differences(tmp_path / "dicomwright.lock", bundle) == []
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["dicomwright.lock"]


def test_the_digest_of_the_lock_is_that_of_the_build(bundle_folder, tmp_path):
    bundle = bundle_folder()
    (locked,) = read_lock(lock_in(tmp_path, bundle)).bundles
    assert load_blueprint("site/ct", bundles=[bundle]).bundles == {
        "site": {"version": "1.0", "sha256": locked.sha256}
    }


def test_folder_and_zip_are_the_same(bundle_folder, bundle_zip, tmp_path):
    assert differences(lock_in(tmp_path, bundle_folder()), bundle_zip(top="site-1/")) == []


def test_a_lock_is_no_part_of_a_bundle(bundle_folder, bundle_zip, tmp_path):
    files = {"dicomwright.lock": "x", "parts/dicomwright.lock": "x"}
    lock = lock_in(tmp_path, bundle_folder())
    assert differences(lock, bundle_folder("other", files)) == []
    assert differences(lock, bundle_zip(files=files)) == []
    for path in (tmp_path / "other", tmp_path / "site.zip"):  # what the digest leaves out cannot be read
        bundle = known(path).bundle("site")
        with pytest.raises(BlueprintError, match=r"dicomwright\.lock is hidden, compiled or a lock"):
            bundle.read("dicomwright.lock", 100)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_changed_byte_is_found(bundle_folder, tmp_path, data):
    bundle = bundle_folder()
    lock = lock_in(tmp_path, bundle)
    name = data.draw(st.sampled_from(["README.md", "base.toml", "parts/ct.toml"]))
    content = bytearray((bundle / name).read_bytes())
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] ^= data.draw(st.integers(1, 255))
    (bundle / name).write_bytes(content)
    assert differences(lock, bundle) == [f"{bundle}/{name} is changed"]


def test_each_file_that_differs_is_named(bundle_folder, tmp_path):
    bundle = bundle_folder()
    lock = lock_in(tmp_path, bundle)
    (bundle / "base.toml").write_text("schema = 1\n")
    (bundle / "new.csv").write_text("1")
    (bundle / "README.md").unlink()
    assert differences(lock, bundle) == [
        f"{bundle}/README.md is missing",
        f"{bundle}/base.toml is changed",
        f"{bundle}/new.csv is new",
    ]


def test_another_version_and_a_broken_bundle(bundle_folder, tmp_path, bundle_files):
    bundle = bundle_folder()
    lock = lock_in(tmp_path, bundle)
    text = bundle_files["bundle.toml"]
    bundle_folder(files={"bundle.toml": text.replace("1.0", "1.1")})
    assert differences(lock, bundle) == [
        "bundle site is version 1.1, locked is 1.0",
        f"{bundle}/bundle.toml is changed",
    ]
    bundle_folder(files={"bundle.toml": text.replace("[blue", "[blu")})
    (told,) = differences(lock, bundle)
    assert f"{bundle}/bundle.toml" in told
    assert differences(lock) == ['bundle site 1.0: there is no bundle "site"']


def test_plugins_that_differ(tmp_path, bundle_folder):
    lock = read_lock(lock_in(tmp_path, bundle_folder()))
    other = replace(lock, plugins={"dicomwright": "0.0.1", "acme-dist": "2"})
    texts = [problem.message for problem in drift(other, known(bundle_folder()), PLUGINS)]
    assert texts == [
        "acme-dist is not installed, or cannot be used, locked is 2",
        f"dicomwright {PLUGINS.records[0].version} is installed, locked is 0.0.1",
    ]


def test_what_is_used_must_be_locked(tmp_path, bundle_folder):
    bundle = bundle_folder()
    lock = replace(read_lock(lock_in(tmp_path, bundle)), bundles=())
    with pytest.raises(BlueprintError, match="bundle site is used, and is not in"):
        require_locked(lock, known(bundle), PLUGINS, ["site"])


def test_what_was_loaded_is_what_is_compared(bundle_folder, tmp_path):
    bundle = bundle_folder()
    lock = read_lock(lock_in(tmp_path, bundle))
    bundles = known(bundle)
    load_blueprint("site/ct", bundles=bundles)
    (bundle / "base.toml").write_text("schema = 1\n")  # too late
    assert drift(lock, bundles, PLUGINS) == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda _: "schema = 2\n", "its schema is 2"),
        (lambda _: "", "its schema is None"),
        (lambda text: text + "[more]\n", 'unknown key "more"'),
        (lambda text: re.sub("plugins", "plugin", text), 'unknown key "plugin"'),
        (lambda text: text + "x = 3\n", "not a table of versions"),
        (lambda text: text.replace("sha256", "sha"), "a bundle has not"),
        (lambda text: re.sub('"base.toml" = ".', '"base.toml" = "', text), "a bundle has not"),
        (lambda text: re.sub('("base.toml" = ")....', r"\1" + "ffff", text), "changed by hand"),
        (lambda _: "bundle = 3\nschema = 1\n[plugins]\n", "bundle is not a list"),
        (lambda _: "x = [", "not valid TOML"),
    ],
)
def test_a_lock_that_is_none(bundle_folder, tmp_path, change, expected):
    path = lock_in(tmp_path, bundle_folder())
    text = path.read_text()
    path.write_text(change(text))
    with pytest.raises(BlueprintError) as caught:
        read_lock(path)
    assert expected in str(caught.value)


def test_no_lock_and_no_place_for_one(tmp_path):
    with pytest.raises(BlueprintError, match="make it with dicomwright bundle lock"):
        read_lock(tmp_path / "none.lock")
    with pytest.raises(BlueprintError, match="cannot be written"):
        write_lock(lock_of([], PLUGINS), tmp_path / "none" / "x.lock")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("file/x.lock", "cannot be written: Not a directory"),
        ("x" * 300, "cannot be written: File name too long"),
        ("folder", "is a folder; name a file"),
        ("pipe", "is not a regular file; name a file"),
    ],
)
def test_places_that_a_lock_cannot_have(tmp_path, name, reason):
    (tmp_path / "file").write_text("kept")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(BlueprintError) as caught:
        write_lock(lock_of([], PLUGINS), tmp_path / name)
    assert str(caught.value).endswith(reason)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["file", "folder", "pipe"]


def test_a_lock_behind_a_link(bundle_folder, tmp_path):
    (tmp_path / "shared").mkdir()
    (tmp_path / "dicomwright.lock").symlink_to("shared/site.lock")
    lock_in(tmp_path, bundle_folder())
    assert (tmp_path / "dicomwright.lock").is_symlink()
    assert read_lock(tmp_path / "shared" / "site.lock").bundles[0].name == "site"


def test_a_zip_made_again_is_the_same(bundle_zip, tmp_path):
    path = bundle_zip()
    lock = lock_in(tmp_path, path)
    with zipfile.ZipFile(path) as old:
        files = {name: old.read(name) for name in reversed(old.namelist())}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as new:
        for name, data in files.items():
            new.writestr(name, data)
    assert differences(lock, path) == []
