"""The battery for bundles of blueprints."""

from __future__ import annotations
