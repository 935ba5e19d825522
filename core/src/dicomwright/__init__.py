"""Build valid DICOM from arrays, NIfTI and more, tag by tag, following a blueprint.

Examples
--------
>>> from dicomwright import Blueprint, DicomFactory, StaticElement
>>> blueprint = Blueprint.load("mr-image") + Blueprint([StaticElement("SeriesDescription", "LO", "Perfusion")])
>>> blueprint["SeriesDescription"].value
'Perfusion'

"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dicomwright.blueprint.blueprint import Blueprint, FillingStrategy
    from dicomwright.blueprint.copying import CopyElement, CopyOrElseElement, InstanceCopyElement
    from dicomwright.blueprint.elements import (
        BulkElement,
        DiscardElement,
        FunctionalElement,
        IndexElement,
        KeyedIndexElement,
        SequenceElement,
        SeriesElement,
        StaticElement,
        VirtualElement,
    )
    from dicomwright.blueprint.environment import InstanceEnvironment, SeriesEnvironment
    from dicomwright.blueprint.resolution import OMIT, Items, Level, PerInstance
    from dicomwright.blueprint.tags import PrivateTag
    from dicomwright.encoders.context import Derivation
    from dicomwright.engine.series import Series
    from dicomwright.errors import DicomwrightError, Problem
    from dicomwright.factory import DicomFactory
    from dicomwright.parents import ParentSeries
    from dicomwright.payload import Affine, Document, Frames, Volume
    from dicomwright.uids import gen_uid

__all__ = [
    "OMIT",
    "Affine",
    "Blueprint",
    "BulkElement",
    "CopyElement",
    "CopyOrElseElement",
    "Derivation",
    "DicomFactory",
    "DicomwrightError",
    "DiscardElement",
    "Document",
    "FillingStrategy",
    "Frames",
    "FunctionalElement",
    "IndexElement",
    "InstanceCopyElement",
    "InstanceEnvironment",
    "Items",
    "KeyedIndexElement",
    "Level",
    "ParentSeries",
    "PerInstance",
    "PrivateTag",
    "Problem",
    "SequenceElement",
    "Series",
    "SeriesElement",
    "SeriesEnvironment",
    "StaticElement",
    "VirtualElement",
    "Volume",
    "gen_uid",
]

_HOMES = {
    "blueprint.blueprint": "Blueprint FillingStrategy",
    "blueprint.copying": "CopyElement CopyOrElseElement InstanceCopyElement",
    "blueprint.elements": "BulkElement DiscardElement FunctionalElement IndexElement KeyedIndexElement "
    "SequenceElement SeriesElement StaticElement VirtualElement",
    "blueprint.environment": "InstanceEnvironment SeriesEnvironment",
    "blueprint.resolution": "OMIT Items Level PerInstance",
    "blueprint.tags": "PrivateTag",
    "encoders.context": "Derivation",
    "engine.series": "Series",
    "errors": "DicomwrightError Problem",
    "factory": "DicomFactory",
    "parents": "ParentSeries",
    "payload": "Affine Document Frames Volume",
    "uids": "gen_uid",
}
_MODULES = {name: module for module, names in _HOMES.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that importing the package stays light."""
    if name == "__version__":
        from dicomwright._version import version

        return version()
    if name not in _MODULES:
        raise AttributeError(f"module 'dicomwright' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"dicomwright.{_MODULES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
