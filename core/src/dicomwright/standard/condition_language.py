"""Understand those texts of conditions that say nothing but presence and values of other attributes.

The texts are English, and PS3.3 does not promise a grammar. So a text is taken only if every word of it is
understood; anything else gives no rule, and is left undecided.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from dicomwright._dataclass import dataclass
from dicomwright.standard.situation import UNKNOWN, Decision, Situation

__all__ = ["Rule", "parse"]

#: Three-valued: true, false, or not known.
Truth = bool | None
Test = Callable[[Situation], Truth]

_WORD = r"(?!(?:Required|Tag|Item|If)\b)[A-Z0-9][\w'\u2019/.&-]*(?:\s*\((?:Patient|Slide)\))?"
_NAME = rf"{_WORD}(?:\s+(?:(?:of|in|to|the|from|for|per|by|with|on|k-Space)\s+)*{_WORD})*"
_TAGGED = re.compile(rf"{_NAME}\s*\(([0-9A-F]{{4}}),([0-9A-F]{{4}})\)")
#: Names that the texts use without a tag.
_UNTAGGED = {
    "SOP Class UID": "@00080016",
    "Number of Frames": "@00280008",
    "Frame Time Vector": "@00181065",
    "Frame Time": "@00181063",
    "Responsible Person": "@00102297",
}
_REF = r"@([0-9a-f]{8})"
_REFS = rf"(?:{_REF}(?:(?:, (?:and |or )?| and | or )@[0-9a-f]{{8}})*)"
_VALUE = r'(?:"[^"]*"|1\.2\.[0-9.]*[0-9]|[A-Z0-9][A-Z0-9_]*(?: [A-Z0-9_]+)*)(?![\w(])(?: \([A-Za-z ]+\))?'
_VALUES = rf"({_VALUE}(?:(?:, or |, | or ){_VALUE})*)"
_NUMBER = r"(?:,? [Vv]alue (\d))?"
_WHERE = r"(?: of this frame| at the image level| in the [A-Z][\w ]+ Module)?"
_SUBJECT = rf"(?:the value of |either |the )*{_REF}{_NUMBER}{_WHERE}"
_IS = r"(?: is equal to| is:?| equals| has a value of| has the value(?: of)?| contains the value| value is)"
_IS_NOT = (
    r"(?: is not equal to| is not any of| is not| does not equal"
    r"| equals other than| is other than| is equal to other than)"
)
_PRESENCE = re.compile(
    rf"(?:either |the )*({_REFS}) (?:is|are) (not present|present|absent)(?! and (?:has|equals|the value))"
)
_EXISTS = re.compile(rf"{_SUBJECT} (?:exists|is used)")
_FILLED = re.compile(rf"{_SUBJECT} (is empty|is present and has a value(?! of))")
_ABSENT_OR = re.compile(rf"{_SUBJECT} is absent or (not |has a value of ){_VALUES}")
_GREATER = re.compile(rf"{_SUBJECT} (?:has a value|is) greater than (\d+)")
_POINTS = re.compile(rf"{_SUBJECT} (?:points to|includes the Tag for|contains the Tag for|is) ({_REFS})")
_EQUALS = re.compile(rf"{_SUBJECT}(?: is present and)?(?:{_IS}| the value is) {_VALUES}")
_DIFFERS = re.compile(rf"{_SUBJECT}{_IS_NOT} ({_VALUE}(?:(?:, or |, | or | and not ){_VALUE})*)(?= |,|$)")
_LINK = re.compile(r",? (and|or)(?: if)? ")
_PART = re.compile(
    r"(?<=[.;])\s+|[,;] (?=(?:may|shall not) be present)"
    r"|\s+(?=(?:May|Shall not) be present|Otherwise|Required if)"
)
_REQUIRED = re.compile(r"^(?:Required|[Ss]hall be present) if:? (.+)$")
_FORBIDDEN = re.compile(r"^[Ss]hall not be present (?:if (.+)|otherwise)$")
_PERMISSION = re.compile(r"^(?:[Mm]ay be present\b|Otherwise,? may be present\b)")


@dataclass(frozen=True, slots=True)
class Rule:
    """A condition that was understood."""

    required: tuple[Test, ...]
    forbidden: tuple[Test, ...] = ()
    otherwise_forbidden: bool = False

    def decide(self, situation: Situation) -> Decision:
        """Return what the condition says in a situation."""
        if any_of([test(situation) for test in self.forbidden]):
            return Decision.FORBIDDEN
        truth = any_of([test(situation) for test in self.required])
        if truth is None:
            return Decision.UNDECIDED
        if truth:
            return Decision.REQUIRED
        return Decision.FORBIDDEN if self.otherwise_forbidden else Decision.NOT_REQUIRED


def any_of(truths: Sequence[Truth]) -> Truth:
    """Return whether one is true; not known if none is true but one is not known."""
    if any(truths):
        return True
    return None if None in truths else False


def all_of(truths: Sequence[Truth]) -> Truth:
    """Return whether all are true; false as soon as one is false."""
    if any(truth is False for truth in truths):
        return False
    return None if None in truths else True


def negated(truth: Truth) -> Truth:
    """Return the opposite; what is not known stays so."""
    return None if truth is None else not truth


@lru_cache(maxsize=2048)
def parse(text: str) -> Rule | None:
    """Return the rule of a condition's text, or None if not every word of it is understood.

    Examples
    --------
    >>> parse("Required if contrast media was used") is None
    True
    >>> len(parse("Required if Samples per Pixel (0028,0002) has a value greater than 1.").required)
    1

    """
    required: list[Test] = []
    forbidden: list[Test] = []
    otherwise_forbidden = False
    for part in _PART.split(_marked(text)):
        sentence = part.strip(" .;,")
        wanted, unwanted = _REQUIRED.match(sentence), _FORBIDDEN.match(sentence)
        if wanted:
            tests = [_expression(branch) for branch in re.split(r",? or \* ", wanted[1].removeprefix("* "))]
            if None in tests:
                return None
            required += [test for test in tests if test]
        elif unwanted:
            test = _expression(unwanted[1]) if unwanted[1] else None
            forbidden += [test] if test else []
            otherwise_forbidden = otherwise_forbidden or not unwanted[1]
        elif sentence and not _PERMISSION.match(sentence):
            return None
    return Rule(tuple(required), tuple(forbidden), otherwise_forbidden) if required else None


def _marked(text: str) -> str:
    """Replace names with tags by ``@ggggeeee``."""
    marked = _TAGGED.sub(lambda match: f"@{match[1]}{match[2]}".lower(), text)
    for name, reference in _UNTAGGED.items():
        marked = re.sub(rf"\b{name}\b(?! \(\w{{4}},)", reference, marked)
    marked = re.sub(r'[A-Z][\w -]* \(("1\.2[\d.]+")\)', r"\1", marked)
    return re.sub(r"\s+", " ", marked)


def _expression(text: str) -> Test | None:
    """Read tests joined by *and*, or by *or*; a mixture has no clear order and is not taken."""
    tests: list[Test] = []
    links: set[str] = set()
    rest, subject = text.strip(" .;,"), ""
    while True:
        if subject and re.match(r"[Vv]alue \d ", rest):
            rest = f"{subject} {rest}"
        test, length = _test(rest)
        if test is None:
            return None
        tests.append(test)
        named = re.search(_REF, rest)
        subject = named[0] if named else ""
        rest = rest[length:]
        if not rest:
            break
        link = _LINK.match(rest)
        if not link:
            return None
        links.add(link[1])
        rest = rest[link.end() :]
    if len(links) > 1:
        return None
    join = any_of if links == {"or"} else all_of
    return lambda situation: join([test(situation) for test in tests])


def _test(text: str) -> tuple[Test | None, int]:
    """Read one test at the start of a text, and say how long it was."""
    for pattern, make in _TESTS:
        match = pattern.match(text)
        if match:
            test = make(match)
            if test is not None:
                return test, match.end()
    return None, 0


def _presence(match: re.Match[str]) -> Test | None:
    tags = [int(tag, 16) for tag in re.findall(_REF, match[1])]
    wanted, either = match[3] == "present", " or " in match[1]
    if either and not wanted:
        return None
    join = any_of if either else all_of
    return lambda situation: join([_is(situation.present(tag), wanted) for tag in tags])


def _is(truth: Truth, wanted: bool) -> Truth:
    return truth if wanted else negated(truth)


def _exists(match: re.Match[str]) -> Test:
    tag = int(match[1], 16)
    return lambda situation: situation.present(tag)


def _filled(match: re.Match[str]) -> Test:
    tag, wanted = int(match[1], 16), match[3] != "is empty"

    def test(situation: Situation) -> Truth:
        value = situation.value(tag)
        return None if value is UNKNOWN else (value is not None) is wanted

    return test


def _absent_or(match: re.Match[str]) -> Test:
    tag, wanted, terms = int(match[1], 16), match[3] != "not ", _terms(match[4])

    def test(situation: Situation) -> Truth:
        absent = negated(situation.present(tag))
        return True if absent else _is(_among(situation, tag, 0, terms), wanted)

    return test


def _greater(match: re.Match[str]) -> Test:
    tag, limit = int(match[1], 16), int(match[3])

    def test(situation: Situation) -> Truth:
        value = situation.value(tag)
        if value is UNKNOWN:
            return None
        try:
            return value is not None and float(value) > limit
        except (TypeError, ValueError):
            return None

    return test


def _points(match: re.Match[str]) -> Test:
    tag, targets = int(match[1], 16), {int(found, 16) for found in re.findall(_REF, match[3])}

    def test(situation: Situation) -> Truth:
        value = situation.value(tag)
        if value is UNKNOWN:
            return None
        values = value if isinstance(value, list | tuple) else [value]
        return any(found in targets for found in values if found is not None)

    return test


def _equals(match: re.Match[str]) -> Test:
    tag, number, terms = int(match[1], 16), int(match[2] or 0), _terms(match[3])
    anywhere = "contains" in match[0]
    return lambda situation: _among(situation, tag, number, terms, anywhere=anywhere)


def _differs(match: re.Match[str]) -> Test:
    tag, number, terms = int(match[1], 16), int(match[2] or 0), _terms(match[3])

    def test(situation: Situation) -> Truth:
        if situation.value(tag) is None:
            return None
        return negated(_among(situation, tag, number, terms))

    return test


_TESTS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Test | None]], ...] = (
    (_ABSENT_OR, _absent_or),
    (_EXISTS, _exists),
    (_FILLED, _filled),
    (_PRESENCE, _presence),
    (_GREATER, _greater),
    (_POINTS, _points),
    (_DIFFERS, _differs),
    (_EQUALS, _equals),
)


def _terms(text: str) -> frozenset[str]:
    plain = re.sub(r" \([A-Za-z ]+\)", "", text)
    return frozenset(found.strip('" ') for found in re.split(r", or |, | or | and not ", plain))


def _among(
    situation: Situation, tag: int, number: int, terms: frozenset[str], *, anywhere: bool = False
) -> Truth:
    value: Any = situation.value(tag)
    if value is UNKNOWN:
        return None
    values = [] if value is None else list(value) if isinstance(value, list | tuple) else [value]
    if number:
        values = values[number - 1 : number]
    elif len(values) > 1 and not anywhere:
        return None
    if UNKNOWN in values:
        return None
    if situation.path and "MIXED" in values and "MIXED" not in terms:
        return None  # the frames differ, and this one is not known
    return any(_same(found, term) for found in values for term in terms)


def _same(value: Any, term: str) -> bool:
    text = str(value).strip()
    if text == term:
        return True
    return text.lstrip("0") == term.lstrip("0") and text.isdigit() and isinstance(value, int)
