"""JSON Schema of blueprint files and of ``bundle.toml``, from the same data that the loader checks with."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import TYPE_CHECKING, Any, cast

from dicomwright.bundles.document import SCHEMA
from dicomwright.bundles.manifest import SCHEMA as MANIFEST_SCHEMA
from dicomwright.bundles.parameters import VRS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dicomwright.plugins import ElementTypeSpec, FunctionSpec, PluginSet
    from dicomwright.plugins.statements import RuleValue

__all__ = [
    "DRAFTS",
    "as_text",
    "blueprint_schema",
    "manifest_schema",
    "shipped_schema",
    "shipped_schema_name",
]

#: The drafts of JSON Schema that are written, and how they call themselves.
DRAFTS = {
    "7": "http://json-schema.org/draft-07/schema#",
    "2020-12": "https://json-schema.org/draft/2020-12/schema",
}

_Schema = dict[str, Any]
_LOWEST_TAG = 0x00080000  # below are command, file meta and media directory groups
_NEVER: _Schema = {"not": {}}
_HEX = "[0-9A-Fa-f]"
_TAG = rf"^\s*(\(?(?!000[0-7]){_HEX}{{4}}\s*,?\s*{_HEX}{{4}}\)?|0[xX]{_HEX}{{1,8}})\s*$"
_PRIVATE = rf"^[^\n]+:\s*\(?(?!000[0-7]){_HEX}{{3}}[13579BDFbdf]\s*,\s*([xX]{{2}}|[1-9A-Fa-f]{_HEX}){_HEX}{{2}}\)?\s*$"
_LINE: _Schema = {"type": "string", "pattern": r"^[^\n\r\t]*$"}
_NAME = r"^[a-z0-9]+([-_][a-z0-9]+)*$"


def blueprint_schema(plugin_set: PluginSet, draft: str = "7") -> _Schema:
    """Return the JSON Schema of blueprint files.

    Examples
    --------
    >>> from dicomwright.plugins import load
    >>> schema = blueprint_schema(load(enabled=False), "2020-12")
    >>> schema["$schema"]
    'https://json-schema.org/draft/2020-12/schema'

    Parameters
    ----------
    plugin_set : PluginSet
        Its element types and functions are the ones that files may name.
    draft : {"7", "2020-12"}
        The draft of JSON Schema.

    """
    types = _types(plugin_set)
    by_vr = _by_vr(types)
    return _in_draft(
        {
            "$schema": DRAFTS[draft],
            "title": "dicomwright blueprint",
            "type": "object",
            "required": ["schema"],
            "properties": {
                "schema": {"const": SCHEMA, "description": "The version of the format of this file."},
                "summary": {"description": "One line for people.", **_LINE},
                "extends": {
                    "description": "Blueprints that this one builds on, weakest first: names or paths.",
                    "type": "array",
                    "items": {"type": "string", "minLength": 1},
                    "uniqueItems": True,
                },
                "parameters": {"$ref": "#/definitions/parameters"},
                "elements": {"$ref": "#/definitions/elements"},
            },
            "additionalProperties": _NEVER,
            # A file that extends others may give their parameters other defaults.
            "if": {"required": ["extends"]},
            "else": {"properties": {"parameters": _TYPED}},
            "definitions": {
                "elements": _elements(by_vr),
                "rule": _rule(types, plugin_set),
                "value": _VALUE,
                "condition": _CONDITION,
                "parameters": _PARAMETERS,
                **by_vr,
            },
        },
        draft,
    )


def manifest_schema(draft: str = "7") -> _Schema:
    """Return the JSON Schema of ``bundle.toml``."""
    path = {"type": "string", "pattern": r"^(?!/)(?!.*(^|/)\.\.(/|$))(?!.*\\).+\.toml$"}
    return _in_draft(
        {
            "$schema": DRAFTS[draft],
            "title": "dicomwright bundle",
            "type": "object",
            "required": ["schema", "name", "version", "blueprints"],
            "properties": {
                "schema": {
                    "const": MANIFEST_SCHEMA,
                    "description": "The version of the format of this file.",
                },
                "name": {"description": "What ids of its blueprints begin with.", **_name()},
                "version": {"type": "string", "description": "That of the distribution, as PEP 440 says."},
                "summary": {"description": "One line for people.", **_LINE},
                "contact": {"description": "Who answers questions.", **_LINE},
                "requires-dicomwright": {
                    "type": "string",
                    "description": 'Versions of dicomwright that fit, as PEP 440 says: ">=0.1,<0.2".',
                },
                "requires-plugins": {
                    "description": 'Plug-ins that its blueprints need, as PEP 508 says: "dicomwright-elements>=0.1".',
                    "type": "array",
                    "items": {"type": "string", "minLength": 1},
                },
                "blueprints": {
                    "description": "The path of each blueprint file by its name.",
                    "type": "object",
                    "minProperties": 1,
                    "propertyNames": _name(),
                    "additionalProperties": path,
                },
            },
            "additionalProperties": _NEVER,
        },
        draft,
    )


def shipped_schema_name(draft: str = "7", *, manifest: bool = False) -> str:
    """Return the file name of a shipped schema."""
    return f"{'bundle' if manifest else 'blueprint'}.draft-{draft}.schema.json"


def shipped_schema(draft: str = "7", *, manifest: bool = False) -> str:
    """Return the text of a shipped schema, which knows what the core brings."""
    name = shipped_schema_name(draft, manifest=manifest)
    return files("dicomwright.bundles").joinpath("schemas", name).read_text(encoding="utf-8")


def as_text(schema: _Schema) -> str:
    """Return a schema as the text of its file: compact where it is long."""
    names = schema.get("definitions", schema.get("$defs", {}))
    lines = [f"  {json.dumps(key)}: {_compact(value)}" for key, value in schema.items() if value is not names]
    if names:
        inner = ",\n".join(f"    {json.dumps(key)}: {_compact(value)}" for key, value in names.items())
        key = "definitions" if "definitions" in schema else "$defs"
        lines.append(f"  {json.dumps(key)}: {{\n{inner}\n  }}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _name() -> _Schema:
    return {"type": "string", "pattern": _NAME, "maxLength": 64}


def _types(plugin_set: PluginSet) -> dict[str, ElementTypeSpec]:
    registry = plugin_set.registry("element-type")
    return {name: cast("ElementTypeSpec", registry.spec(name)) for name in registry.names()}


def _functions(plugin_set: PluginSet, level: str) -> list[str]:
    """Return the functions that a rule of a level may name."""
    registry = plugin_set.registry("function")
    names = registry.names()
    return [n for n in names if level == "instance" or cast("FunctionSpec", registry.spec(n)).level == level]


def _elements(by_vr: dict[str, _Schema]) -> _Schema:
    """Return the schema of a table of rules: the names apart from the rules, or editors would list their product."""
    names = {keyword: {"$ref": f"#/definitions/{vr}"} if vr in by_vr else {} for keyword, vr in _keywords()}
    return {
        "description": "One rule for each tag.",
        "type": "object",
        "allOf": [
            {
                "properties": names,
                "patternProperties": {_TAG: {}, _PRIVATE: {}},
                "additionalProperties": _NEVER,
            },
            {"additionalProperties": {"$ref": "#/definitions/rule"}},
        ],
    }


def _keywords() -> Iterator[tuple[str, str]]:
    """Yield keyword and VR of each tag that a blueprint may set (PS3.6)."""
    from pydicom._dicom_dict import DicomDictionary

    rows = {row[4]: row[0] for tag, row in DicomDictionary.items() if tag >= _LOWEST_TAG and row[4]}
    yield from sorted(rows.items())


def _by_vr(types: dict[str, ElementTypeSpec]) -> dict[str, _Schema]:
    """Return for each VR the schema that refuses types that do not make it."""
    limited = {name: spec.vrs for name, spec in types.items() if spec.vrs}
    found: dict[str, _Schema] = {}
    for vr in sorted({vr for _, vr in _keywords()}):
        if len(vr) != len("PN"):  # some tags have several
            continue
        found[vr] = {"description": f"VR {vr} (PS3.5 section 6.2)"}
        others = [name for name, vrs in limited.items() if vr not in vrs]
        if others:
            found[vr]["propertyNames"] = {"not": {"enum": others}}
    return found


def _rule(types: dict[str, ElementTypeSpec], plugin_set: PluginSet) -> _Schema:
    """Return the schema of a rule.

    What is in ``anyOf`` is for completion and allows much; ``allOf`` says exactly what each type may have, so that
    an error is told at its key.
    """
    alone = [name for name, spec in types.items() if spec.value is None or "nothing" in spec.value.kinds]
    options = {option.name: option for spec in types.values() for option in spec.options or ()}
    shown = {name: _shown(spec.summary, spec.value) for name, spec in types.items()}
    shown |= {name: _shown(option.summary, option) for name, option in options.items() if name not in shown}
    return {
        "anyOf": [
            {"description": "The name of a rule that needs nothing else.", "enum": alone},
            {
                "description": "A rule: one kind, and what may stand beside it.",
                "type": "object",
                "properties": shown | {name: {"description": text} for name, (text, _) in _ALL.items()},
            },
        ],
        "allOf": [
            *(
                {"if": _is_of(name, types), "then": _exactly(name, spec, plugin_set)}
                for name, spec in types.items()
            ),
            {"if": {"type": "object"}, "then": {"oneOf": [_is_of(name, types) for name in types]}},
        ],
    }


def _is_of(name: str, types: dict[str, ElementTypeSpec]) -> _Schema:
    """Return what tells a rule of a type: its key, where that is not an option of another type."""
    others = [
        other for other, spec in types.items() if name in {option.name for option in spec.options or ()}
    ]
    found: _Schema = {"required": [name]}
    return found | ({"not": {"anyOf": [{"required": [other]} for other in others]}} if others else {})


def _shown(summary: str, value: RuleValue | None) -> _Schema:
    """Return what an editor shows of a key, and proposes for its value."""
    text = summary if value is None or not value.example else f"{summary}. {value.example}"
    choices = () if value is None else value.choices
    if not choices:
        return {"description": text}
    return {"anyOf": [{"description": text, "enum": list(choices)}, {"description": text}]}


def _exactly(name: str, spec: ElementTypeSpec, plugin_set: PluginSet) -> _Schema:
    """Return what a rule of one type must be."""
    if not spec.is_stated:
        return {}
    keys = {name: {} if spec.value is None else _of(spec.value, plugin_set, spec.value.choices)}
    keys |= {option.name: _of(option, plugin_set, option.choices) for option in spec.options or ()}
    keys |= {key: schema for key, (_, schema) in _ALL.items() if key != "vr" or spec.vr}
    required = [option.name for option in spec.options or () if option.required]
    found: _Schema = {"properties": keys, "additionalProperties": _NEVER}
    return found | ({"required": required} if required else {})


def _of(value: RuleValue, plugin_set: PluginSet, choices: Iterable[str]) -> _Schema:
    """Return the schema of a value."""
    kinds = [_kind(kind, plugin_set) for kind in value.kinds]
    if choices:
        kinds = [{"enum": list(choices)} if kind == _TEXT else kind for kind in kinds]
    if value.kinds == ("value", "rule"):  # told apart first, so that an error is told at its place
        return {"if": _TABLE, "then": _REF_RULE, "else": _REF_VALUE}
    return kinds[0] if len(kinds) == 1 else {"anyOf": kinds}


def _kind(kind: str, plugin_set: PluginSet) -> _Schema:
    """Return the schema of one kind of value."""
    if kind.endswith("-function"):
        return {"enum": _functions(plugin_set, kind.removesuffix("-function"))}
    return _KINDS[kind]


def _list_of(schema: _Schema, at_least: int = 0) -> _Schema:
    return {"type": "array", "items": schema} | ({"minItems": at_least} if at_least else {})


def _in_draft(schema: _Schema, draft: str) -> _Schema:
    """Return a schema in another draft; they differ in the place of definitions."""
    if draft == "7":
        return schema
    text = (
        json.dumps(schema)
        .replace('"#/definitions/', '"#/$defs/')
        .replace('"definitions": {', '"$defs": {', 1)
    )
    found: _Schema = json.loads(text)
    return found


_TEXT: _Schema = {"type": "string"}
_TABLE: _Schema = {"type": "object"}
_SCALAR: _Schema = {"type": ["string", "number"]}
_VALUE: _Schema = {"anyOf": [_SCALAR, _list_of(_SCALAR)]}
_REF_VALUE: _Schema = {"$ref": "#/definitions/value"}
_REF_RULE: _Schema = {"$ref": "#/definitions/rule"}
_CONDITION: _Schema = {
    "type": "object",
    "minProperties": 1,
    "additionalProperties": {
        "anyOf": [{"type": ["string", "integer", "boolean"]}, _list_of({"type": ["string", "integer"]}, 1)]
    },
}
_PARAMETERS: _Schema = {
    "description": "Values that are given to the build by name.",
    "type": "object",
    "propertyNames": {"pattern": "^[A-Za-z_][A-Za-z0-9_]*$"},
    "additionalProperties": {
        "type": "object",
        "properties": {
            "type": {"description": "The VR of the value.", "enum": sorted(VRS)},
            "default": {"description": "The value if none is given.", "anyOf": [_SCALAR, _list_of(_SCALAR)]},
            "summary": {"description": "One line for people.", **_LINE},
        },
        "additionalProperties": _NEVER,
    },
}
_TYPED: _Schema = {"additionalProperties": {"required": ["type"]}}
_KINDS: dict[str, _Schema] = {
    "nothing": {"const": True},
    "text": _TEXT,
    "texts": _list_of(_TEXT),
    "whole": {"type": "integer"},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
    "value": _REF_VALUE,
    "values": _list_of(_REF_VALUE, 1),
    "table": _TABLE,
    "tables": _list_of(_TABLE),
    "rule": _REF_RULE,
    "rules": _list_of(_REF_RULE, 1),
    "items": _list_of({"$ref": "#/definitions/elements"}),
    "keyword": _TEXT,
    "any": {},
}
#: Keys that every rule may have.
_ALL: dict[str, tuple[str, _Schema]] = {
    "vr": ("The VR, where the dictionary has none or several.", {"type": "string", "pattern": "^[A-Z]{2}$"}),
    "only-if": (
        "A condition on the elements that are the same in the whole output.",
        {"$ref": "#/definitions/condition"},
    ),
    "final": ("true: blueprints that build on this one may not change the rule.", {"type": "boolean"}),
}
