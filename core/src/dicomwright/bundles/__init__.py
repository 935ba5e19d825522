"""Blueprint files: TOML that says tag by tag where each value comes from, and what ships with the core."""

from __future__ import annotations

from dicomwright.bundles.context import ElementMaker, RuleContext, takes
from dicomwright.bundles.load import load_blueprint
from dicomwright.bundles.sources import shipped_names

__all__ = ["ElementMaker", "RuleContext", "load_blueprint", "shipped_names", "takes"]
