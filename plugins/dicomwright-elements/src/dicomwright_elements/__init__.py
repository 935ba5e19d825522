"""More kinds of virtual element for dicomwright: tables, patterns, texts, choices, pseudonyms, dates, codes."""

from __future__ import annotations
