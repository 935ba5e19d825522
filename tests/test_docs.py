"""The reference names what the code has, links lead somewhere, and the files that pages show are good ones."""

from __future__ import annotations

import inspect
import re
import string
import tomllib
from dataclasses import fields

import click
import pytest

import dicomwright
from dicomwright import errors
from dicomwright.bundles import ElementMaker
from dicomwright.cli import entry, group
from dicomwright.encoders.api import Encoder
from dicomwright.encoders.codecs import Codec
from dicomwright.lint.allow import KINDS as FINDINGS
from dicomwright.parents.filling import FILLING_RULES
from dicomwright.plugins import API_VERSION, KINDS, Executor, Reader, Sender, load
from dicomwright.plugins import hooks as hook_module
from dicomwright.validate.api import Validator
from workbench.fixtures import ROOT

DOCS = ROOT / "docs"
REFERENCE = {page.stem: page.read_text(encoding="utf-8") for page in (DOCS / "reference").glob("*.md")}
HOOKS = {
    f"dicomwright_{page.stem}": page.read_text(encoding="utf-8")
    for page in (DOCS / "reference" / "hooks").glob("*.md")
}
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("core/*.md"), *ROOT.glob("plugins/*/*.md"), *DOCS.rglob("*.md")]
BUILTIN = load(enabled=False)
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())


def public(cls):
    """Return the public members of a class that it or its annotations define, and its constructor's arguments."""
    own = {name for name in vars(cls) if not name.startswith("_")}
    return own | set(inspect.signature(cls).parameters)


def lacking(names, page):
    """Return the names that a page does not have as code, alone or with what follows."""
    text = REFERENCE[page]
    return [name for name in names if not re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text)]


@pytest.mark.parametrize("name", group._COMMANDS)
def test_every_option_of_a_command(name):
    command = group._imported(group._COMMANDS[name][0])
    section = REFERENCE["command-line"].split(f"## dicomwright {name}\n")[1].split("\n## ")[0]
    commands = list(command.commands.values()) if isinstance(command, click.Group) else [command]
    found = (option for one in commands for parameter in one.params for option in parameter.opts)
    options = [option for option in found if option.startswith("-")]
    assert options
    assert [option for option in options if not re.search(rf"^\| `{option}[ `]", section, re.MULTILINE)] == []


def test_every_option_of_the_program():
    options = [option for parameter in group.cli.params for option in parameter.opts]
    assert lacking(options, "command-line") == []


def test_every_exit_code():
    codes = (0, entry._REFUSED, entry._USAGE, entry._INTERRUPTED, entry._TERMINATED)
    assert [code for code in codes if f"\n| {code} |" not in REFERENCE["command-line"]] == []


def test_every_public_name():
    text = "\n".join(REFERENCE.values())
    assert [name for name in dicomwright.__all__ if not re.search(rf"\b{name}\b", text)] == []


def test_every_error():
    assert lacking(errors.__all__, "errors") == []


@pytest.mark.parametrize(
    ("name", "page"),
    [
        ("Volume", "volume"),
        ("Affine", "volume"),
        ("Frames", "volume"),
        ("Document", "volume"),
        ("ParentSeries", "parent-series"),
        ("DicomFactory", "factory"),
        ("Blueprint", "blueprint"),
        ("Series", "series"),
        ("InstanceEnvironment", "environments"),
        ("SeriesEnvironment", "environments"),
        ("Problem", "errors"),
    ],
)
def test_every_member_of_a_class(name, page):
    hidden = {"Series": {"plan", "report"}, "Volume": {"stack_affine"}}
    members = public(getattr(dicomwright, name)) - hidden.get(name, set())
    assert lacking(sorted(members), page) == []


@pytest.mark.parametrize(
    "method", [name for name in dir(dicomwright.DicomFactory) if name.startswith("build")]
)
def test_every_argument_of_the_factory(method):
    section = REFERENCE["factory"].split(f"## {method}\n")[1].split("\n## ")[0]
    arguments = list(inspect.signature(getattr(dicomwright.DicomFactory, method)).parameters)[1:]
    assert [name for name in arguments if name not in section] == []


@pytest.mark.parametrize("name", [name for name in dicomwright.__all__ if name.endswith("Element")])
def test_every_element_with_its_arguments(name):
    if name == "VirtualElement":
        assert "`VirtualElement`" in REFERENCE["elements"]
        return
    arguments = ", ".join(
        one.name if one.default is one.empty else f"{one.name}={one.default}"
        for one in inspect.signature(getattr(dicomwright, name)).parameters.values()
    )
    assert f"`{name}({arguments})`" in REFERENCE["elements"]


def told(text):
    """Return code without what does not count: line breaks, quotes, the last comma, what a constructor returns."""
    flat = re.sub(r"[\s'\"]", "", text).replace(",)", ")")
    return flat.replace("->None", "")


def signature(name, function):
    return told(f"{name}{inspect.signature(function)}")


TARGETS = {
    "reader": (Reader, "can_read", "read"),
    "encoder": (Encoder, "encode"),
    "codec": (Codec, "compression"),
    "element-type": (ElementMaker, "__call__"),
    "sender": (Sender, "send"),
    "executor": (Executor, "run"),
    "validator": (Validator, "unavailable", "validate"),
}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_the_page_of_a_hook_has_its_signatures(kind):
    page = HOOKS[kind.hook]
    protocol, *methods = TARGETS.get(kind.name, (None,))
    wanted = [signature(kind.hook, getattr(hook_module, kind.hook)), signature(kind.spec.__name__, kind.spec)]
    wanted += [signature(name, getattr(protocol, name)) for name in methods]
    shown = re.search(r"```text\n(.*?)```", page, re.DOTALL)[1]
    assert told(shown) == "".join(wanted)
    rows = [field.name for field in fields(kind.spec) if field.name not in ("name", "summary", "target")]
    assert [name for name in rows if f"| `{name}` |" not in page] == []


def test_the_page_of_the_hook_around_a_build():
    page = HOOKS[hook_module.BUILD_HOOK]
    assert signature(hook_module.BUILD_HOOK, hook_module.dicomwright_build) in told(page)
    arguments = inspect.signature(hook_module.dicomwright_build).parameters
    assert [name for name in arguments if f"| `{name}` |" not in page] == []


@pytest.mark.parametrize("name", [*(kind.hook for kind in KINDS.values()), hook_module.BUILD_HOOK])
def test_every_hook_has_a_page_with_an_example(name):
    assert HOOKS[name].startswith(f"# {name}\n")
    assert f"hooks/{name.removeprefix('dicomwright_')}.md" in REFERENCE["hooks"]
    assert "## Example\n" in HOOKS[name]
    assert f"def {name}(" in HOOKS[name]


def test_every_name_of_the_kit():
    from dicomwright import testing
    from dicomwright.testing import pytest_plugin

    fixtures = [name for name in vars(pytest_plugin) if name.startswith("dicomwright_")]
    assert len(fixtures) >= 8
    assert lacking([*testing.__all__, *fixtures], "testing") == []


def test_the_version_of_the_hooks():
    page = (DOCS / "explanation" / "hook-versions.md").read_text(encoding="utf-8")
    assert f"`dicomwright.plugins.API_VERSION`, now {API_VERSION}" in page.replace("\n", " ")


def test_every_filling_rule():
    rows = [f"| `{rule.name}` | {rule.summary} | {rule.source} |" for rule in FILLING_RULES]
    assert [line for line in REFERENCE["filling-rules"].splitlines() if line.startswith("| `")] == rows


def test_every_encoder_option():
    registry = BUILTIN.registry("encoder")
    for name in registry.names():
        section = REFERENCE["encoder-options"].split(f"## {name}\n")[1].split("\n## ")[0]
        assert [
            option.name for option in registry.spec(name).options if f"| `{option.name}` |" not in section
        ] == []


def test_every_function_and_element_type():
    assert lacking(BUILTIN.registry("function").names(), "functions") == []
    assert lacking(BUILTIN.registry("element-type").names(), "blueprint-files") == []


def test_every_shipped_blueprint():
    from dicomwright.bundles import shipped_names

    assert [name for name in shipped_names() if f"`{name}`" not in REFERENCE["shipped-blueprints"]] == []


def test_every_kind_of_finding():
    rows = [f"| `{name}` | {meaning} |" for name, meaning in FINDINGS.items()]
    assert [row for row in rows if row not in REFERENCE["findings"]] == []


def test_every_key_of_the_result():
    import numpy as np

    volume = dicomwright.Volume(np.zeros((2, 3, 4), np.int16), np.eye(4)[[2, 1, 0, 3]])
    result = dicomwright.DicomFactory().build(volume, dicomwright.Blueprint.load("mr-image")).result
    keys = [*result, *result["series"][0], *result["stored_values"], *result["encoder"]]
    assert lacking(keys, "result") == []


def headings(text):
    """Return the anchors of a page, as code hosts make them from its headings."""
    kept = string.ascii_lowercase + string.digits + "-_ "
    lines = (line.lstrip("#").strip().lower() for line in text.splitlines() if line.startswith("#"))
    return {"".join(character for character in line if character in kept).replace(" ", "-") for line in lines}


@each_page
def test_links_lead_somewhere(page):
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        path, _, anchor = link.partition("#")
        if "://" in link:
            continue
        target = page if not path else page.parent / path
        if not target.exists() or (anchor and anchor not in headings(target.read_text(encoding="utf-8"))):
            broken.append(link)
    assert broken == []


def test_every_page_is_in_the_index():
    index = (DOCS / "index.md").read_text(encoding="utf-8")
    pages = [page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md")]
    assert [page for page in pages if page != "index.md" and f"({page}" not in index] == []


@each_page
def test_blueprint_files_on_a_page_are_good(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("site.toml",):  # pages extend it
        (tmp_path / name).write_text("schema = 1\n", encoding="utf-8")
    for number, text in enumerate(
        re.findall(r"```toml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    ):
        if "elements" not in tomllib.loads(text):
            continue
        path = tmp_path / f"page{number}.toml"
        path.write_text(text if "schema" in text else f"schema = 1\n{text}", encoding="utf-8")
        assert len(dicomwright.Blueprint.load(path)) > 0
