"""Bundles by path, in the environment and installed; ids, and who has a name."""

from __future__ import annotations

import json
import os
import shutil
import sys

import pytest

from dicomwright.blueprint.blueprint import Blueprint
from dicomwright.bundles import load_blueprint
from dicomwright.bundles.bundle import open_bundle
from dicomwright.bundles.bundle_set import VARIABLE, BundleSet
from dicomwright.errors import BlueprintError


def refused(*arguments, **kwargs):
    with pytest.raises(BlueprintError) as caught:
        load_blueprint(*arguments, **kwargs)
    return str(caught.value)


def records(*paths):
    return {one.who: (one.name, one.status, one.reason) for one in BundleSet(paths, installed=False).records}


@pytest.mark.parametrize("kind", ["folder", "zip", "zip-in-a-folder"])
def test_a_bundle_by_path(kind, bundle_folder, bundle_zip):
    path = bundle_folder() if kind == "folder" else bundle_zip(top="" if kind == "zip" else "site-1.0/")
    blueprint = Blueprint.load("site/ct", bundles=[path])
    assert blueprint["Modality"].value == "CT"
    assert blueprint["InstitutionName"].origin == f"{path}/base.toml:4"
    assert blueprint.bundles["site"]["version"] == "1.0"
    assert len(blueprint.bundles["site"]["sha256"]) == 64


def test_folder_and_zip_have_the_same_digest(bundle_folder, bundle_zip):
    digests = {
        Blueprint.load("site/ct", bundles=[path]).bundles["site"]["sha256"]
        for path in (bundle_folder(), bundle_zip())
    }
    assert len(digests) == 1


def test_a_zip_of_macos_has_the_names_of_the_folder(bundle_folder, bundle_zip):
    files = {"tables/größe.csv": "1\n"}
    folder, path = bundle_folder(files=files), bundle_zip(files=files)
    data = bytearray(path.read_bytes())
    for start, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = data.rfind(start) + flags + 1
        assert data[place] == 0x08  # the bit that says UTF-8
        data[place] = 0
    path.write_bytes(data)
    assert open_bundle(path).hashes() == open_bundle(folder).hashes()


def test_a_bundle_of_the_environment(bundle_folder, bundle_zip, monkeypatch):
    other = bundle_zip("other.zip", {"bundle.toml": BUNDLE_OF("other")})
    monkeypatch.setenv(VARIABLE, os.pathsep.join([str(bundle_folder()), "", str(other)]))
    assert "InstitutionName" in Blueprint.load("site/base")
    assert "InstitutionName" in Blueprint.load("other/base")


def BUNDLE_OF(name, version="1.0", more=""):  # noqa: N802  # a text that is filled in
    return f'schema = 1\nname = "{name}"\nversion = "{version}"\n{more}\n[blueprints]\nbase = "base.toml"\n'


def test_a_project_folder(bundle_folder):
    root = bundle_folder("project/src/acme_site")
    assert "InstitutionName" in Blueprint.load("site/base", bundles=[root.parents[1]])


def test_a_file_of_the_user_extends_a_bundle(bundle_folder, blueprint_file):
    path = blueprint_file('StudyID = { static = "1" }', head='schema = 1\nextends = ["site/ct"]')
    blueprint = load_blueprint(path, bundles=[bundle_folder()])
    assert blueprint["StudyID"].value == "1"
    assert blueprint["InstitutionName"].value == "Site"


def test_across_bundles(bundle_folder):
    other = bundle_folder(
        "other",
        {
            "bundle.toml": BUNDLE_OF("other"),
            "base.toml": 'schema = 1\nextends = ["site/base"]\n[elements]\nStudyID = { static = "1" }\n',
        },
    )
    assert len(Blueprint.load("other/base", bundles=[other, bundle_folder()])) == 2
    text = refused("other/base", bundles=[other])
    assert f'{other}/base.toml:2: extends: there is no bundle "site"' in text


def test_a_missing_bundle_far_away_prints_the_chain(bundle_folder, blueprint_file):
    bundle = bundle_folder(files={"base.toml": 'schema = 1\nextends = ["gone/base"]\n'})
    path = blueprint_file(head='schema = 1\nextends = ["site/ct"]')
    text = refused(path, bundles=[bundle])
    assert 'there is no bundle "gone"' in text
    assert f"(through {path} → {bundle}/parts/ct.toml → {bundle}/base.toml)" in text


def test_circles_across_bundles(bundle_folder):
    other = bundle_folder(
        "other",
        {"bundle.toml": BUNDLE_OF("other"), "base.toml": 'schema = 1\nextends = ["site/base"]\n'},
    )
    site = bundle_folder(files={"base.toml": 'schema = 1\nextends = ["other/base"]\n'})
    text = refused("site/base", bundles=[site, other])
    assert "goes in a circle" in text
    assert f"{site}/base.toml → {other}/base.toml → {site}/base.toml" in text


def test_paths_inside_a_bundle(bundle_folder):
    good = bundle_folder(
        files={
            "parts/ct.toml": 'schema = 1\nextends = ["../base.toml", "./more.toml"]\n',
            "parts/more.toml": 'schema = 1\n[elements]\nStudyID = {static = "1"}\n',
        }
    )
    assert len(Blueprint.load("site/ct", bundles=[good])) == 2
    for path in ("../../secret.toml", "/etc/x.toml"):
        bad = bundle_folder(files={"parts/ct.toml": f'schema = 1\nextends = ["{path}"]\n'})
        assert "leads out of the" in refused("site/ct", bundles=[bad])


def test_a_bare_name_is_the_cores(bundle_folder):
    bundle = bundle_folder(files={"parts/ct.toml": 'schema = 1\nextends = ["base"]\n'})
    text = refused("site/ct", bundles=[bundle])
    assert 'no shipped blueprint "base"' in text
    assert "write site/base" in text
    assert "no shipped blueprint" in refused("base", bundles=[bundle])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("stie/ct", 'there is no bundle "stie"; did you mean site?'),
        ("site/cta", 'bundle "site" has no blueprint "cta"; did you mean site/ct? It has base, ct'),
        ("./site/ct", "does not exist"),
        ("site/ct.toml", "does not exist"),
        ("Site/ct", "small letters"),
    ],
)
def test_ids_and_paths_that_are_wrong(bundle_folder, text, expected, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    message = refused(text, bundles=[bundle_folder("somewhere")])
    assert expected in message


def test_an_id_and_a_path_in_one_error():
    assert "a path starts with ./ or ends in .toml" in refused(
        "nowhere/ct", bundles=BundleSet(installed=False)
    )


def test_a_path_without_suffix_is_read_where_no_bundle_has_the_name(tmp_path, monkeypatch, bundle_folder):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts/ct").write_text('schema = 1\n[elements]\nStudyID = { static = "file" }\n')
    assert load_blueprint("parts/ct")["StudyID"].value == "file"
    bundle = bundle_folder("b", {"bundle.toml": BUNDLE_OF("parts") + 'ct = "base.toml"\n'})
    assert "StudyID" not in load_blueprint("parts/ct", bundles=[bundle])


def test_what_is_given_counts_more_than_the_environment(bundle_folder, monkeypatch):
    old, new = bundle_folder("old"), bundle_folder("new")
    monkeypatch.setenv(VARIABLE, str(old))
    assert records(new) == {
        str(new): ("site", "usable", ""),
        str(old): ("site", "shadowed", f"{new} has the name and counts more"),
    }


def test_a_broken_one_that_counts_more_is_not_passed_over_in_silence(
    bundle_folder, monkeypatch, site, bundle_files
):
    site.install(bundle_files)
    broken = bundle_folder(
        "new", {"bundle.toml": bundle_files["bundle.toml"].replace("[blue", "more = 1\n[blue")}
    )
    monkeypatch.setenv(VARIABLE, str(broken))
    assert "though it cannot be used" in installed()["acme-site"].reason
    text = refused("site/ct")
    assert f'bundle "site" of {broken} cannot be used' in text
    assert 'unknown key "more"' in text


def test_two_of_one_name_are_both_unusable(bundle_folder):
    one, two = bundle_folder("one"), bundle_folder("two")
    found = records(one, two, bundle_folder("three", {"bundle.toml": BUNDLE_OF("three")}))
    assert [status for _, status, _ in found.values()] == ["conflict", "conflict", "usable"]
    assert f'{two} has the name "site", too' in found[str(one)][2]
    text = refused("site/ct", bundles=[one, two])
    assert str(one) in text
    assert str(two) in text


def test_one_place_named_twice_is_one_bundle(bundle_folder):
    path = bundle_folder()
    assert len(records(path, f"{path}/../site")) == 1


def test_one_path_may_be_given_as_a_text(bundle_folder):
    assert "Modality" in Blueprint.load("site/ct", bundles=str(bundle_folder()))


@pytest.mark.parametrize(
    ("requires", "problem"),
    [
        ("acme-elements>=1", "which is not installed"),
        ("dicomwright>=99", "is installed"),
        ("dicomwright>=0.1", ""),
        ("acme-elements>=1; python_version < '3'", ""),
    ],
)
def test_plugins_that_a_bundle_needs(bundle_folder, requires, problem, blueprint_file):
    bundle = bundle_folder(
        files={
            "bundle.toml": BUNDLE_OF("site", more=f'requires-plugins = ["{requires}"]')
            + 'ct = "parts/ct.toml"'
        }
    )
    path = blueprint_file(head='schema = 1\nextends = ["site/ct"]')
    if not problem:
        assert "Modality" in load_blueprint(path, bundles=[bundle])
        return
    text = refused(path, bundles=[bundle])
    assert f"{bundle}/bundle.toml: bundle site 1.0 needs {requires}, " in text
    assert problem in text
    assert f"(through {bundle}/parts/ct.toml → {bundle}/base.toml)" in text or "→" in text
    assert f'python -m pip install "{requires}"' in text


def test_a_rule_of_a_plugin_that_is_missing_prints_the_chain(bundle_folder, blueprint_file):
    bundle = bundle_folder(files={"base.toml": "schema = 1\n[elements]\nStudyID = { acme-lookup = 'x' }\n"})
    path = blueprint_file(head='schema = 1\nextends = ["site/ct"]')
    text = refused(path, bundles=[bundle])
    assert f'{bundle}/base.toml:3: StudyID (0020,0010): there is no element-type "acme-lookup"' in text
    assert f"(through {path} → {bundle}/parts/ct.toml → {bundle}/base.toml)" in text


def test_another_core(bundle_folder):
    bundle = bundle_folder(files={"bundle.toml": BUNDLE_OF("site", more='requires-dicomwright = ">=99"')})
    assert "needs dicomwright >=99" in refused("site/base", bundles=[bundle])
    assert records(bundle)[str(bundle)][1] == "incompatible"


class Site:
    """A folder of installed distributions."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()

    def install(self, files, distribution="acme-site", version="1.0", entry="site = acme_site", record=True):
        package = self.folder / "acme_site"
        for name, content in files.items():
            path = package / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        info = self.folder / f"{distribution.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n")
        (info / "entry_points.txt").write_text(f"[dicomwright.bundles]\n{entry}\n")
        if record:
            (info / "RECORD").write_text("".join(f"acme_site/{name},,\n" for name in files))
        return info


@pytest.fixture
def site(tmp_path, monkeypatch):
    found = Site(tmp_path / "site-packages")
    monkeypatch.setattr(sys, "path", [*sys.path, str(found.folder)])
    return found


def installed():
    return {one.distribution: one for one in BundleSet().records if one.distribution.startswith("acme")}


TRAP = "raise SystemExit('imported')\n"


@pytest.mark.parametrize("record", [True, False])
def test_an_installed_bundle_is_found_without_its_code(bundle_files, site, record):
    site.install({**bundle_files, "__init__.py": TRAP}, record=record)
    blueprint = Blueprint.load("site/ct")
    assert blueprint["InstitutionName"].origin == "acme_site/base.toml:4"
    assert "acme_site" not in sys.modules


@pytest.mark.parametrize("older", ["1.0", "0.9"])
def test_a_copy_later_on_the_path_is_not_seen(bundle_files, site, tmp_path, monkeypatch, older):
    site.install(bundle_files)
    behind = Site(tmp_path / "behind")
    files = {**bundle_files, "bundle.toml": bundle_files["bundle.toml"].replace('"1.0"', f'"{older}"')}
    behind.install(files, version=older)
    monkeypatch.setattr(sys, "path", [*sys.path, str(behind.folder)])
    (record,) = (one for one in BundleSet().records if one.distribution == "acme-site")
    assert (record.version, record.status) == ("1.0", "usable")


def test_an_editable_bundle_is_found_in_its_project(bundle_files, site, tmp_path):
    info = site.install(bundle_files, record=False)
    shutil.move(site.folder / "acme_site", tmp_path / "project/src/acme_site")
    url = {"url": (tmp_path / "project").as_uri(), "dir_info": {"editable": True}}
    (info / "direct_url.json").write_text(json.dumps(url))
    assert "Modality" in Blueprint.load("site/ct")


def test_an_installer_may_make_a_link_of_each_file(bundle_files, site, tmp_path):
    site.install(bundle_files)
    shutil.move(site.folder / "acme_site", tmp_path / "cache")
    for name in bundle_files:
        link = site.folder / "acme_site" / name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(tmp_path / "cache" / name)
    assert installed()["acme-site"].status == "usable"
    assert Blueprint.load("site/ct")["InstitutionName"].origin == "acme_site/base.toml:4"


def test_a_long_entry_point_is_cut(bundle_files, site):
    site.install(bundle_files, entry="site = " + ".".join(["a"] * 10_000))
    assert len(installed()["acme-site"].reason) < 400


def test_a_bundle_that_cannot_be_found_is_a_record(site):
    site.install({"__init__.py": TRAP}, entry="site = acme_site.data")
    record = installed()["acme-site"]
    assert record.status == "failed"
    assert 'no bundle.toml was found in the package "acme_site.data"' in record.reason
    assert "acme_site" not in sys.modules


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"version": "2.0"}, "its bundle.toml says version 1.0, its distribution 2.0"),
        ({"entry": "other = acme_site"}, 'its bundle.toml says the name "site", its entry point "other"'),
        ({"entry": "site = ../acme_site"}, "is malformed"),
    ],
)
def test_a_bundle_that_is_not_what_its_distribution_says(bundle_files, site, change, reason):
    site.install(bundle_files, **change)
    record = installed()["acme-site"]
    assert record.status == "failed"
    assert reason in record.reason


def test_a_broken_installed_bundle_takes_nobody_down(site, bundle_folder):
    site.install({"bundle.toml": "schema = 1\nname = "})
    assert installed()["acme-site"].status == "failed"
    assert "Modality" in Blueprint.load("site/ct", bundles=[bundle_folder()])
    assert "acme_site/bundle.toml:2: not valid TOML" in refused("site/ct")


@pytest.mark.parametrize("setting", ["all", "acme-site", "site"])
def test_installed_bundles_can_be_switched_off(bundle_files, site, monkeypatch, setting):
    site.install(bundle_files)
    monkeypatch.setenv("DICOMWRIGHT_DISABLE_PLUGINS", setting)
    assert installed()["acme-site"].status == "disabled"
