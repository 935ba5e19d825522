"""Who made an object: ContributingEquipmentSequence (PS3.3 C.12.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dicomwright._version import version
from dicomwright.blueprint.blueprint import Blueprint
from dicomwright.blueprint.elements import SequenceElement, StaticElement

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dicomwright.encoders.context import Derivation

__all__ = ["contributing_equipment"]


def contributing_equipment(
    reader: Mapping[str, str] | None, encoder: Mapping[str, str] | None, derivation: Derivation
) -> SequenceElement:
    """Return the sequence that names this software, its reader and its encoder, and the user's algorithm."""
    versions = [f"dicomwright {version()}"]
    for plugin in (reader, encoder):
        text = f"{plugin['distribution']} {plugin['version']}" if plugin else ""
        if text and text not in versions:
            versions.append(text)
    parts = [
        f"{kind} {plugin['name']}" for kind, plugin in (("reader", reader), ("encoder", encoder)) if plugin
    ]
    item = Blueprint(
        [
            _purpose(),
            StaticElement("Manufacturer", "LO", "dicomwright"),
            StaticElement("SoftwareVersions", "LO", [text[:64] for text in versions]),
        ],
    )
    if parts:
        item.add_virtual_element(
            StaticElement("ContributionDescription", "ST", "Built with " + " and ".join(parts))
        )
    algorithm = [_algorithm(derivation)] if derivation.algorithm else []
    return SequenceElement("ContributingEquipmentSequence", [item, *algorithm])


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
