"""The reference of node.toml has every entry with its default."""

from __future__ import annotations

import re
from dataclasses import fields

import pytest

from dicomwright_node.config import NodeConfig
from workbench.fixtures import ROOT

PAGES = [
    (ROOT / "docs" / name).read_text(encoding="utf-8")
    for name in ("reference/node-config.md", "reference/pipeline.md", "how-to/monitor-a-node.md")
]
SIZES = {"max_instance": "2GiB", "min_free": "1GiB", "max_request": "16GiB"}


def documented(section):
    """Return the cells of the entries of a section, from the page that has them."""
    found = {}
    for page in PAGES:
        text = page.partition(f"\n## [{section}]\n")[2].partition("\n## ")[0]
        text += page.partition(f"| `[{section}]` |")[2].partition("\n\n")[0]
        for row in re.findall(r"^\| (`.*?) \| (.*?) \|", text, re.MULTILINE):
            names = re.findall(r"`(\w+)`", row[0])
            values = row[1].split(", ") if row[1].count(", ") == len(names) - 1 else [row[1]] * len(names)
            found |= dict(zip(names, values, strict=True))
    return found


@pytest.mark.parametrize("section", fields(NodeConfig), ids=lambda section: section.name)
def test_every_entry_is_there_with_its_default(section):
    told = documented(section.name)
    default = getattr(NodeConfig(), section.name)
    assert set(told) == {entry.name for entry in fields(default)}
    for name, text in told.items():
        value = getattr(default, name)
        if name in SIZES:
            assert text == f'`"{SIZES[name]}"`'
        elif isinstance(value, bool):
            assert text == str(value).lower()
        elif isinstance(value, int | float):
            assert float(text) == value
        elif isinstance(value, str):
            assert text == f'`"{value}"`'
