"""What PS3.3 says: IODs, their modules, and the attributes of these, with type, condition and terms.

>>> from dicomwright import standard
>>> ct = standard.iod("CTImageStorage")           # or its UID, its name, or the key of the IOD
>>> ct.name, [module.key for module in ct.modules if module.usage == "C"]
('CT Image', ['synchronization', 'contrast-bolus', 'multi-energy-ct-image'])
>>> standard.attribute(ct, "KVP").type
'2'
>>> [terms.values for terms in standard.terms(ct, "PhotometricInterpretation") if terms.enumerated]
[('MONOCHROME1', 'MONOCHROME2')]

Types, nesting and usage are those of June 2026. Texts of conditions and terms are those of 2020, so an
attribute that is younger has none, and a list of terms may have grown since. ``data/provenance.json`` names
the sources. `dicomwright.standard.conditions` decides conditions.
Nothing here imports numpy or pydicom, except to turn a keyword into a tag and back.
"""

from __future__ import annotations

from dicomwright.standard.iods import Iod, Place, Tag
from dicomwright.standard.lookup import (
    attribute,
    iod,
    iod_of,
    iods,
    modules_with,
    sop_class,
    sop_classes,
    terms,
)
from dicomwright.standard.model import Attribute, Entry, MacroUse, ModuleUse, SopClass, Terms

__all__ = [
    "Attribute",
    "Entry",
    "Iod",
    "MacroUse",
    "ModuleUse",
    "Place",
    "SopClass",
    "Tag",
    "Terms",
    "attribute",
    "iod",
    "iod_of",
    "iods",
    "modules_with",
    "sop_class",
    "sop_classes",
    "terms",
]
