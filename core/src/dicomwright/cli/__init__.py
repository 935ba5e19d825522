"""The command ``dicomwright``: thin commands over the public API."""

from __future__ import annotations

from dicomwright.cli.entry import main

__all__ = ["main"]
