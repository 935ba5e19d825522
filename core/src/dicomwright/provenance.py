"""Who made an object: ContributingEquipmentSequence (PS3.3 C.12.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dicomwright._version import version
from dicomwright.blueprint.blueprint import Blueprint
from dicomwright.blueprint.elements import SequenceElement, StaticElement

if TYPE_CHECKING:
    from dicomwright.encoders.context import Derivation
    from dicomwright.engine.series import BuildReport

__all__ = ["contributing_equipment"]

_OWN = "dicomwright"


def contributing_equipment(report: BuildReport, derivation: Derivation) -> SequenceElement:
    """Return the sequence that names this software, the plug-ins that did the work, and the user's algorithm."""
    used = {kind: plugin for kind in ("reader", "encoder", "codec") if (plugin := getattr(report, kind))}
    if used.get("codec", {}).get("distribution") == _OWN:  # it leaves the pixels as they are
        del used["codec"]
    found = (f"{plugin['distribution']} {plugin['version']}" for plugin in used.values())
    versions = dict.fromkeys((f"{_OWN} {version()}", *found))
    parts = [f"{kind} {plugin['name']}" for kind, plugin in used.items()]
    item = Blueprint(
        [
            _purpose(),
            StaticElement("Manufacturer", "LO", "dicomwright"),
            StaticElement("SoftwareVersions", "LO", [text[:64] for text in versions]),
        ],
    )
    if parts:
        item.add_virtual_element(
            StaticElement("ContributionDescription", "ST", "Built with " + _listed(parts))
        )
    algorithm = [_algorithm(derivation)] if derivation.algorithm else []
    return SequenceElement("ContributingEquipmentSequence", [item, *algorithm])


def _listed(parts: list[str]) -> str:
    return " and ".join([*filter(None, [", ".join(parts[:-1])]), parts[-1]])


def _purpose() -> SequenceElement:
    """Return what the equipment was for (CID 7005)."""
    code = Blueprint(
        [
            StaticElement("CodeValue", "SH", "109102"),
            StaticElement("CodingSchemeDesignator", "SH", "DCM"),
            StaticElement("CodeMeaning", "LO", "Processing Equipment"),
        ],
    )
    return SequenceElement("PurposeOfReferenceCodeSequence", [code])


def _algorithm(derivation: Derivation) -> Blueprint:
    """Return the item of the user's algorithm."""
    item = Blueprint(
        [
            _purpose(),
            StaticElement("Manufacturer", "LO", derivation.manufacturer or derivation.algorithm),
            StaticElement("ManufacturerModelName", "LO", derivation.algorithm),
        ],
    )
    if derivation.algorithm_version:
        item.add_virtual_element(StaticElement("SoftwareVersions", "LO", derivation.algorithm_version))
    return item
