"""Names that several plug-ins claim, and names that nobody has."""

from __future__ import annotations

import pytest

from dicomwright.cli import group
from dicomwright.errors import PluginError
from dicomwright.plugins import load
from dicomwright.plugins.known import COMMANDS, KnownPlugin


def message(call, *arguments) -> str:
    with pytest.raises(PluginError) as caught:
        call(*arguments)
    return str(caught.value)


def test_builtin_name_stays_with_the_core(site, record):
    site.add(
        "acme-grab",
        """
        @hookimpl
        def dicomwright_encoders():
            names = ("image", "acme.image")
            return [EncoderSpec(name=n, summary="s", target="acme:X", payloads=("Volume",)) for n in names]
        """,
    )
    found = load()
    one = record("acme-grab", found)
    assert one.status == "conflict"
    assert one.reason == 'its encoder "image" is not used: the name belongs to dicomwright itself'
    assert found.registry("encoder").provider("image").distribution == "dicomwright"
    assert "acme.image" in found.registry("encoder")


def test_commands_stay_with_the_core(site, record):
    site.add(
        "acme-grab",
        """
        @hookimpl
        def dicomwright_commands():
            return [CommandSpec(name=name, summary="s", target="acme:X") for name in ("build", "acme")]
        """,
    )
    found = load()
    assert record("acme-grab", found).status == "conflict"
    assert record("acme-grab", found).reason == (
        'its command "build" is not used: the name belongs to dicomwright itself'
    )
    assert "acme" in found.registry("command")
    assert "build" not in found.registry("command")
    assert sorted(group._COMMANDS) == list(COMMANDS)


def test_name_of_two_third_parties_is_nobodys(site, record):
    site.good("acme-one", "scan")
    site.good("beta-two", "scan")
    site.good("beta-three", "other")
    found = load()
    assert "scan" not in found.registry("reader")
    assert "other" in found.registry("reader")
    for mine, theirs in (("acme-one", "beta-two"), ("beta-two", "acme-one")):
        assert record(mine, found).status == "conflict"
        assert (
            record(mine, found).reason == f'its reader "scan" is not used: {theirs} 1.0 claims the name, too'
        )
    assert message(found.registry("reader").resolve, "scan") == (
        'reader "scan" is claimed by plug-in "one" of acme-one 1.0 and plug-in "two" of beta-two 1.0, '
        "so neither is used; uninstall one of them, or switch it off: DICOMWRIGHT_DISABLE_PLUGINS=beta-two"
    )


def test_conflict_is_settled_by_switching_one_off(site):
    site.good("acme-one", "scan")
    site.good("beta-two", "scan")
    assert load(disabled=["Beta_Two"]).registry("reader").provider("scan").distribution == "acme-one"


def test_one_name_in_two_kinds_is_no_conflict(site, record):
    site.good("acme-one", "scan")
    site.add(
        "beta-two",
        "@hookimpl\ndef dicomwright_senders(): return [SenderSpec(name='scan', summary='s', target='a:b')]",
    )
    assert record("acme-one").status == record("beta-two").status == "loaded"


def test_names_of_the_project_stay_with_its_distributions(site, record):
    site.good("dicomwright-pdf", "pdf")
    site.good("aaa-grab", "pdf")
    found = load()
    assert found.registry("reader").provider("pdf").distribution == "dicomwright-pdf"
    assert record("dicomwright-pdf", found).status == "loaded"
    assert record("aaa-grab", found).reason == (
        'its reader "pdf" is not used: the name belongs to dicomwright-pdf 1.0'
    )


def test_plugin_name_of_two_distributions(site, record):
    site.good("acme-scan", "one")
    site.good("beta-scan", "two")
    found = load()
    assert record("acme-scan", found).status == record("beta-scan", found).status == "conflict"
    assert record("acme-scan", found).reason == (
        'the plug-in name "scan" of acme-scan 1.0 is also claimed by beta-scan 1.0; '
        "uninstall or disable one of them"
    )


def test_plugin_name_of_the_project_stays_with_its_distribution(site, record):
    site.good("dicomwright-pdf", "pdf")
    site.good("aaa-pdf", "other")
    found = load()
    assert record("dicomwright-pdf", found).status == "loaded"
    assert record("aaa-pdf", found).reason.startswith(
        'the plug-in name "pdf" of aaa-pdf 1.0 is also claimed by'
    )


def test_rival_that_is_refused_anyway_is_no_rival(site, record):
    site.good("acme-scan", "one")
    site.add("beta-scan", requires=("dicomwright>=900",))
    assert record("acme-scan").status == "loaded"


def test_name_of_the_builtins_cannot_be_a_plugin(site, record):
    site.add("acme-builtin")
    assert record("acme-builtin").reason == 'the name "builtin" belongs to dicomwright itself'


def test_one_module_of_two_entry_points(site, record):
    module = site.add("acme-one", site.reader("acme-one"))
    site.add("beta-two", entry_points=f"[dicomwright]\ntwo = {module}\n")
    found = load()
    assert record("acme-one", found).status == "loaded"
    assert record("beta-two", found).status == "conflict"
    assert record("beta-two", found).reason == (
        'its module acme_one_plugin is registered already, as "one" of acme-one'
    )


def test_unknown_name_says_what_is_meant_and_what_there_is(site):
    site.good("acme-tomo")
    names = ", ".join(load().registry("reader").names())
    assert message(load().registry("reader").spec, "tomoo") == (
        f'there is no reader "tomoo"; did you mean tomo? Installed: {names}'
    )


def test_unknown_name_names_the_plugins_that_may_have_had_it(site):
    site.add("acme-bad", "import acme_absent")
    site.add("acme-new", requires=("dicomwright>=900",))
    text = message(load().registry("sender").resolve, "pacs")
    assert text.startswith(
        'there is no sender "pacs"; not usable, and may have had it: "bad" of acme-bad 1.0 (failed), '
        '"new" of acme-new 1.0 (incompatible); Installed: '
    )


def test_known_name_that_is_not_installed(site, monkeypatch):  # noqa: ARG001  # nothing is switched off
    absent = KnownPlugin("dicomwright-absent", "absent", (("encoder", "hologram"),))
    monkeypatch.setattr("dicomwright.plugins.known.KNOWN", (absent,))
    assert message(load(enabled=False).registry("encoder").resolve, "hologram") == (
        'encoder "hologram" is not installed; python -m pip install dicomwright-absent'
    )


@pytest.mark.parametrize(
    ("code", "requires", "disabled", "text"),
    [
        (
            "import acme_absent",
            (),
            (),
            "failed: importing dicomwright_pdf_plugin failed: ModuleNotFoundError: ",
        ),
        ("", ("dicomwright>=900",), (), "incompatible: it needs dicomwright>=900, this is dicomwright "),
        ("", (), ("pdf",), "disabled: it is switched off"),
    ],
)
def test_known_name_of_a_plugin_that_is_not_usable(site, code, requires, disabled, text):
    site.add("dicomwright-pdf", code, requires=requires)
    told = message(load(disabled=disabled).registry("reader").resolve, "pdf")
    assert told.startswith(f'reader "pdf" comes from dicomwright-pdf 1.0, which is {text}')
    assert told.endswith("; see: dicomwright plugins")


def test_missing_dependency_names_module_and_requirement(site):
    site.add(
        "acme-tomo",
        site.reader("acme-tomo"),
        requires=("other", "Acme_Absent>=2,<3; python_version>'3'"),
        other={"acme_tomo_reader": "import acme_absent.deep"},
    )
    assert message(load().registry("reader").resolve, "tomo") == (
        'reader "tomo" of plug-in "tomo" (acme-tomo 1.0) cannot be used: it needs the Python module '
        '"acme_absent", which is not installed; python -m pip install "Acme_Absent>=2,<3"'
    )


def test_missing_dependency_without_requirement(site):
    site.add("acme-tomo", site.reader("acme-tomo"), other={"acme_tomo_reader": "import acme_absent"})
    assert message(load().registry("reader").resolve, "tomo").endswith('python -m pip install "acme-tomo"')


@pytest.mark.parametrize(
    ("reader", "text"),
    [
        (None, "ModuleNotFoundError: No module named 'acme_tomo_reader'"),
        ("", "AttributeError: module 'acme_tomo_reader' has no attribute 'Reader'"),
        ("import sys; sys.exit(0)", "it called sys.exit(0)"),
        ("raise ValueError('x')", "ValueError: x"),
    ],
)
def test_target_that_cannot_be_imported(site, reader, text, record):
    site.add(
        "acme-tomo",
        site.reader("acme-tomo"),
        other={} if reader is None else {"acme_tomo_reader": reader},
    )
    found = load()
    assert record("acme-tomo", found).status == "loaded"
    assert message(found.registry("reader").resolve, "tomo") == (
        'reader "tomo" of plug-in "tomo" (acme-tomo 1.0) cannot be used: importing acme_tomo_reader:Reader '
        f"failed: {text}; report it to the authors of acme-tomo, or install another version"
    )


def test_target_that_prints(site, capfd):
    site.add("acme-tomo", site.reader("acme-tomo"), other={"acme_tomo_reader": "print('loud')\nReader = 1"})
    assert load().registry("reader").resolve("tomo") == 1
    assert capfd.readouterr() == ("", "loud\n")


@pytest.mark.parametrize("setting", ["1", "all", "ALL", "true"])
def test_all_switched_off_by_the_environment(site, monkeypatch, record, setting):
    site.good("acme-tomo")
    monkeypatch.setenv("DICOMWRIGHT_DISABLE_PLUGINS", setting)
    found = load()
    assert "tomo" not in found.registry("reader")
    assert "image" in found.registry("encoder")
    one = record("acme-tomo", found)
    assert (one.status, one.reason) == ("disabled", f"DICOMWRIGHT_DISABLE_PLUGINS={setting}")
    assert "tomo" in load(enabled=True).registry("reader")


@pytest.mark.parametrize("setting", ["tomo", " acme-tomo ", "acme_tomo,nobody", "ACME.Tomo"])
def test_some_switched_off_by_the_environment(site, monkeypatch, record, setting):
    site.good("acme-tomo")
    site.good("acme-other")
    monkeypatch.setenv("DICOMWRIGHT_DISABLE_PLUGINS", setting)
    found = load()
    assert record("acme-tomo", found).reason == "DICOMWRIGHT_DISABLE_PLUGINS names it"
    assert record("acme-other", found).status == "loaded"
    assert found.warnings == (
        ('cannot switch off plug-in "nobody": there is none of that name',) if "nobody" in setting else ()
    )


@pytest.mark.parametrize("setting", ["", "0", "no"])
def test_nothing_switched_off(site, monkeypatch, record, setting):
    site.good("acme-tomo")
    monkeypatch.setenv("DICOMWRIGHT_DISABLE_PLUGINS", setting)
    assert record("acme-tomo").status == "loaded"


def test_switched_off_plugin_is_not_imported(site):
    site.add("acme-bad", "raise AssertionError")
    done = site.run(
        "import sys; from dicomwright.plugins import load\n"
        "load(enabled=False); print('acme_bad_plugin' in sys.modules)"
    )
    assert (done.stdout, done.stderr) == ("False\n", "")
