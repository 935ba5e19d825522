"""``python -m dicomwright``: the command line."""

from __future__ import annotations

from dicomwright.cli import main

main()
