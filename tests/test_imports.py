"""Imports point one way, name only declared dependencies, and keep the start of the program light."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from workbench.fixtures import ROOT

LAYERS = [  # each may import what stands above it; those in one line may import each other, without a cycle
    {"_dataclass"},
    {"errors", "uids", "clock", "reading", "blueprints"},
    {"blueprint", "payload", "parents", "standard", "plugins"},
    {"engine", "_version"},
    {"encoders", "bundles", "provenance", "reproducible", "lint", "explain", "verify", "validate", "filling"},
    {"transfer_syntax"},
    {"build", "reports"},
    {"dry_run"},
    {"factory", "executors", "delivery"},
    {"learn", "synthetic"},
    {"bundle_check"},
    {"cli"},
    {"testing"},
    {"__init__", "__main__"},
]
RANK = {layer: rank for rank, layers in enumerate(LAYERS) for layer in layers}
PLUGINS_ARE_FOR = {
    "_version",
    "build",
    "dry_run",
    "transfer_syntax",
    "validate",
    "factory",
    "executors",
    "delivery",
    "learn",
    "synthetic",
    "bundle_check",
    "bundles",
    "encoders",
    "cli",
    "testing",
    "__init__",
}
UPWARD = {  # reached through a function, for the sake of a front door
    ("blueprint", "bundles"),  # Blueprint.load is a thin name for the loader of blueprint files
    ("engine", "explain"),  # Series.explain is a thin name
    ("blueprints", "bundles"),  # names are loaded when they are asked for
}
HEAVY = {"numpy", "pydicom", "nibabel"}
DISTRIBUTIONS = {"PIL": "pillow", "re2": "google-re2"}  # imported under another name than they are installed
MEMBERS = [ROOT / "core", *sorted(path.parent for path in ROOT.glob("plugins/*/pyproject.toml"))]


class Imports(ast.NodeVisitor):
    """The absolute names that a module imports when it runs, those for the type checker left out."""

    def __init__(self, source):
        self.names = set()
        self.visit(ast.parse(source))

    def visit_Import(self, node):
        self.names |= {alias.name for alias in node.names}

    def visit_ImportFrom(self, node):
        self.names |= {f"{node.module}.{alias.name}" for alias in node.names}

    def visit_If(self, node):
        if not (isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"):
            self.generic_visit(node)


def imports_of(folder):
    """Return the imports of each module below a folder."""
    return {path: Imports(path.read_text(encoding="utf-8")).names for path in sorted(folder.rglob("*.py"))}


def edges_of(package):
    """Return the pairs (layer, layer that it imports) of the core, with the modules in which they occur."""
    edges = {}
    for path, names in imports_of(package).items():
        layer = path.relative_to(package).parts[0].removesuffix(".py")
        for name in names:
            top, _, rest = name.partition(".")
            if top == "dicomwright" and rest:
                edges.setdefault((layer, rest.split(".")[0]), []).append(path.name)
    return {pair: files for pair, files in edges.items() if pair[0] != pair[1] and RANK.keys() >= {*pair}}


def wrong(edges):
    """Return the pairs that point the wrong way."""
    pairs = set(edges) - UPWARD
    upward = {(a, b) for a, b in pairs if RANK[a] < RANK[b]}
    both_ways = {(a, b) for a, b in pairs if (b, a) in pairs}
    plugins = {(a, b) for a, b in pairs if b == "plugins" and a not in PLUGINS_ARE_FOR}
    plugins |= {(a, b) for a, b in pairs if a == "plugins" and b not in ("errors", "_dataclass")}
    return upward | both_ways | plugins


def test_layers_import_one_way():
    edges = edges_of(ROOT / "core" / "src" / "dicomwright")
    assert ("engine", "blueprint") in edges
    assert {pair: edges[pair] for pair in wrong(edges)} == {}


@pytest.mark.parametrize(
    "pair", [("payload", "engine"), ("engine", "plugins"), ("plugins", "payload"), ("errors", "blueprint")]
)
def test_a_wrong_direction_is_seen(pair):
    assert wrong({("engine", "blueprint"): [], pair: []}) == {pair}


def test_a_cycle_is_seen():
    assert wrong({("payload", "parents"): [], ("parents", "payload"): []}) != set()


def test_imports_for_the_type_checker_do_not_count():
    source = "import os\nif TYPE_CHECKING:\n    import numpy\ndef f():\n    from pydicom import dcmread\n"
    assert Imports(source).names == {"os", "pydicom.dcmread"}


def test_every_layer_has_its_place():
    package = ROOT / "core" / "src" / "dicomwright"
    found = {path.name.removesuffix(".py") for path in package.iterdir() if path.suffix == ".py"}
    found |= {path.name for path in package.iterdir() if (path / "__init__.py").exists()}
    assert found <= set(RANK)


@pytest.mark.parametrize("member", MEMBERS, ids=lambda member: member.name)
def test_members_import_only_what_they_declare(member):
    project = tomllib.loads((member / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [text for texts in project.get("optional-dependencies", {}).values() for text in texts]
    declared = {
        canonicalize_name(Requirement(text).name)
        for text in [*project["dependencies"], *extras, project["name"]]
    }
    for path, names in imports_of(member / "src").items():
        used = {name.split(".")[0] for name in names} - sys.stdlib_module_names
        assert {canonicalize_name(DISTRIBUTIONS.get(name, name)) for name in used} <= declared, path


def loaded_by(code):
    """Return the heavy packages that a fresh Python has loaded after the code."""
    report = f"import json, sys; print(json.dumps(sorted({HEAVY!r} & set(sys.modules))), file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{report}"], capture_output=True, text=True, check=True
    )
    return json.loads(done.stderr.splitlines()[-1])


def test_loading_is_seen():
    assert "numpy" in loaded_by("import numpy")


@pytest.mark.parametrize(
    "module",
    [
        "dicomwright",
        "dicomwright.errors",
        "dicomwright.plugins",
        "dicomwright.cli",
        "dicomwright.testing",
        "dicomwright.testing.pytest_plugin",
        "dicomwright_nifti.plugin",
    ],
)
def test_light_modules(module):
    assert loaded_by(f"import {module}") == []


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["plugins"], ["plugins", "--json"]])
def test_light_commands(arguments):
    code = f"""
from dicomwright.cli import main
try:
    main({arguments!r})
except SystemExit as end:
    assert not end.code
"""
    assert loaded_by(code) == []
