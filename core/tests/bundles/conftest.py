"""Blueprint files on disk, and plug-ins made up for a test."""

from __future__ import annotations

import sys
import types
import zipfile
from dataclasses import replace
from itertools import count

import pytest

from dicomwright.bundles import load_blueprint
from dicomwright.errors import BlueprintError
from dicomwright.plugins import ElementTypeSpec, FunctionSpec, Provider, load
from dicomwright.plugins.records import Contribution
from dicomwright.plugins.registry import Registry

_numbers = count()


@pytest.fixture
def blueprint_file(tmp_path):
    """Return `blueprint_file(rules, head="schema = 1", name="site.toml") -> path`."""

    def write(rules="", head="schema = 1", name="site.toml"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{head}\n[elements]\n{rules}\n", encoding="utf-8")
        return path

    return write


@pytest.fixture
def blueprint_of(blueprint_file):
    """Return `blueprint_of(rules) -> Blueprint`, read from a file; the first rule stands on line 3."""

    def read(rules, plugin_set=None):
        return load_blueprint(blueprint_file(rules), plugin_set)

    return read


@pytest.fixture
def problems_of(blueprint_file):
    """Return `problems_of(rules_or_path) -> [(line, text)]`: all that is wrong, the line as in the message."""

    def read(rules, plugin_set=None, **kwargs):
        path = blueprint_file(rules, **kwargs) if isinstance(rules, str) else rules
        with pytest.raises(BlueprintError) as caught:
            load_blueprint(path, plugin_set)
        return [
            (problem.loc.replace(str(path), "").lstrip(":"), str(problem))
            for problem in caught.value.problems
        ]

    return read


@pytest.fixture
def plugin_set_with(monkeypatch):
    """Return `plugin_set_with(element_types={name: object}, functions={name: (object, level)}) -> PluginSet`."""

    def build(element_types=None, functions=None):
        module = types.ModuleType(f"acme_plugin_{next(_numbers)}")
        monkeypatch.setitem(sys.modules, module.__name__, module)
        found = load(enabled=False)

        def extended(kind, specs):
            registry = found.registry(kind)
            added = {spec.name: Contribution(spec, "acme", Provider("acme-dist", "1.2")) for spec in specs}
            return Registry(kind, dict(sorted({**registry.entries, **added}.items())))

        def target(name, thing):
            attribute = name.replace("-", "_")
            setattr(module, attribute, thing)
            return f"{module.__name__}:{attribute}"

        makers = [
            ElementTypeSpec(name=name, summary="made up", target=target(name, thing))
            for name, thing in (element_types or {}).items()
        ]
        named = [
            FunctionSpec(name=name, summary="made up", target=target(name, thing), level=level)
            for name, (thing, level) in (functions or {}).items()
        ]
        registries = {
            **found.registries,
            "element-type": extended("element-type", makers),
            "function": extended("function", named),
        }
        return replace(found, registries=registries)

    return build


BUNDLE = """
schema = 1
name = "site"
version = "1.0"
contact = "pacs@example.org"
requires-dicomwright = ">=0.1"
[blueprints]
base = "base.toml"
ct = "parts/ct.toml"
"""
FILES = {
    "bundle.toml": BUNDLE,
    "base.toml": "schema = 1\nsummary = 'base'\n[elements]\nInstitutionName = { static = 'Site', final = true }\n",
    "parts/ct.toml": "schema = 1\nsummary = 'ct'\nextends = ['ct-image', 'site/base']\n",
    "README.md": "There are base and ct.\n",
}


@pytest.fixture
def bundle_files():
    """Return the files of a good bundle, by name."""
    return dict(FILES)


@pytest.fixture
def bundle_folder(tmp_path):
    """Return `bundle_folder(name="site", **changed files) -> path`; None takes a file out."""

    def make(folder="site", files=None):
        root = tmp_path / folder
        for name, content in {**FILES, **(files or {})}.items():
            if content is None:
                continue
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return root

    return make


@pytest.fixture
def bundle_zip(tmp_path):
    """Return `bundle_zip(name="site.zip", files=None, top="") -> path`."""

    def make(name="site.zip", files=None, top=""):
        path = tmp_path / name
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for inside, content in {**FILES, **(files or {})}.items():
                if content is not None:
                    archive.writestr(top + inside, content)
        return path

    return make
