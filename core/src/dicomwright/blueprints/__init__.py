"""The shipped blueprints: one TOML file for each IOD, and for each module that several IODs share.

>>> from dicomwright.blueprints import ct_image, general_study
>>> ct_image["Modality"].value, "StudyID" in general_study
('CT', True)

Each import gives a blueprint of its own, so that adding to one changes no other.
"""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dicomwright.blueprint.blueprint import Blueprint

_SUFFIX = ".toml"


def __getattr__(name: str) -> Blueprint:
    """Load a shipped blueprint when it is asked for by its name, with underscores for hyphens."""
    if name.startswith("_") or name not in __dir__():
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from dicomwright.bundles import load_blueprint

    return load_blueprint(name.replace("_", "-"))


def __dir__() -> list[str]:
    entries = (entry.name for entry in files(__name__).iterdir() if entry.name.endswith(_SUFFIX))
    return sorted(name.removesuffix(_SUFFIX).replace("-", "_") for name in entries)
