"""What this distribution provides, with what its rules may hold. Imports nothing heavy."""

from __future__ import annotations

from dicomwright.plugins import ElementTypeSpec, RuleOption, RuleValue, hookimpl

__all__ = ["dicomwright_element_types"]

_CLASSES = {
    "lookup": "LookupElement",
    "regex": "RegexElement",
    "template": "TemplateElement",
    "first-of": "FirstElement",
    "when": "WhenElement",
    "hash-id": "HashElement",
    "date-shift": "DateShiftElement",
    "counter": "CounterElement",
    "code": "CodeElement",
}
_TEXTS = ("AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UT")
_FROM = RuleOption(name="from", summary="the tag whose value is used, its own without it", kinds=("keyword",))
_OF = RuleOption(
    name="of",
    summary='the rule that gives the value, "copy" without it',
    kinds=("rule",),
    example='of = "copy-instance"',
)


def _key(
    name: str, summary: str, *kinds: str, choices: tuple[str, ...] = (), required: bool = False
) -> RuleOption:
    return RuleOption(name=name, summary=summary, kinds=kinds, choices=choices, required=required)


def _spec(
    name: str,
    summary: str,
    value: RuleValue,
    *options: RuleOption,
    vrs: tuple[str, ...] = (),
    takes_vr: bool = True,
) -> ElementTypeSpec:
    return ElementTypeSpec(
        name=name,
        summary=summary,
        target=f"dicomwright_elements.{name.replace('-', '_')}:{_CLASSES[name]}",
        value=value,
        options=options,
        vrs=vrs,
        vr=takes_vr,
    )


_ELEMENT_TYPES = [
    _spec(
        "lookup",
        "a value looked up in a table",
        RuleValue(
            summary="a file beside the blueprint (.csv, .toml or .json), or a table",
            kinds=("text", "table"),
            example='{ lookup = "sexes.csv" }',
        ),
        _FROM,
        _OF,
        _key("key", "the column of a CSV file to look in, the first without it", "text"),
        _key("value", "the column of a CSV file to take, the second without it", "text"),
        _key(
            "default",
            "the value or rule for what the table does not have; without it that is an error",
            "value",
            "rule",
        ),
        _key("ignore-case", "true finds m for M", "boolean"),
    ),
    _spec(
        "regex",
        "a value rewritten by patterns (RE2)",
        RuleValue(
            summary="a pattern, or a list of [pattern, replacement]",
            kinds=("text", "values"),
            example='{ regex = "^CT[ _-]+", with = "" }',
        ),
        _FROM,
        _OF,
        _key("with", "the replacement of a single pattern; \\1 is its first group", "text"),
        _key(
            "unmatched",
            "what to do where no pattern is found: keep the value (without it), an error, or omit the tag",
            "text",
            choices=("keep", "error", "omit"),
        ),
    ),
    _spec(
        "template",
        "a text with the values of other tags in it",
        RuleValue(
            summary="a text with {Keyword} in it",
            kinds=("text",),
            example='{ template = "{PatientID} {StudyDate.year}" }',
        ),
        _key("of", "a table of rules by keyword, for tags that are not simply copied", "table"),
        _key("missing", "the text for a value that is absent or empty; without it that is an error", "text"),
        vrs=_TEXTS,
    ),
    _spec(
        "first-of",
        "the first of several rules that gives a value",
        RuleValue(
            summary="a list of rules",
            kinds=("rules",),
            example='{ first-of = [ "copy", { static = "unknown" } ] }',
        ),
    ),
    _spec(
        "when",
        "one rule or another, as the parent is",
        RuleValue(
            summary="a table of conditions on the parent",
            kinds=("table",),
            example='{ when = { Modality = "MR" }, then = { static = "..." }, else = "discard" }',
        ),
        _key("then", "the rule if all conditions hold", "rule", required=True),
        _key("else", "the rule if not; without it the tag is not in the output", "rule"),
        _key(
            "when-varying",
            "what to do where the parent's instances differ: an error, or each instance as its paired one is",
            "text",
            choices=("error", "paired"),
        ),
    ),
    _spec(
        "hash-id",
        "a pseudonym that follows from the value and a secret key",
        RuleValue(
            summary="where the key is: env:NAME or file:/PATH",
            kinds=("text",),
            example='{ hash-id = "env:SITE_KEY" }',
        ),
        _FROM,
        _OF,
        _key("prefix", "a text in front of it", "text"),
        _key("length", "characters behind the prefix, 8 to 52, 16 without it", "whole"),
        vrs=("AE", "CS", "LO", "PN", "SH", "UC", "UI", "UT"),
    ),
    _spec(
        "date-shift",
        "a date moved by days, the same number for all dates of a patient",
        RuleValue(
            summary="a number of days, or where a key is: env:NAME or file:/PATH",
            kinds=("whole", "text"),
            example='{ date-shift = "env:SITE_KEY" }',
        ),
        _FROM,
        _OF,
        _key("within", "with a key: at most this many days into the past, 365 without it", "whole"),
        _key("patient", "with a key: the tag that says who it is, PatientID without it", "keyword"),
        vrs=("DA", "DT"),
    ),
    _spec(
        "counter",
        "a number that grows from instance to instance",
        RuleValue(
            summary="the first number, 1 without it",
            kinds=("nothing", "whole"),
            example="{ counter = 1, step = 2 }",
        ),
        _key("step", "how much it grows, 1 without it", "whole"),
        _key("width", "at least this many digits, with zeros in front", "whole"),
        _key("prefix", "a text in front of it", "text"),
        vrs=(
            "AE",
            "CS",
            "DS",
            "FD",
            "FL",
            "IS",
            "LO",
            "LT",
            "SH",
            "SL",
            "SS",
            "ST",
            "SV",
            "UC",
            "UL",
            "US",
            "UT",
            "UV",
        ),
    ),
    _spec(
        "code",
        "a sequence of coded concepts",
        RuleValue(
            summary='a concept such as "SCT:Liver", a table of code, scheme and meaning, or a list of those',
            kinds=("text", "table", "texts", "tables"),
            example='{ code = "DCM:113076" }',
        ),
        _key("table", "a CSV file beside the blueprint with the columns code, scheme and meaning", "text"),
        vrs=("SQ",),
        takes_vr=False,
    ),
]


@hookimpl
def dicomwright_element_types() -> list[ElementTypeSpec]:
    """Give the kinds of virtual element."""
    return _ELEMENT_TYPES
