"""The kit for authors of plug-ins and bundles: fixtures, samples, assertions, and whole batteries of tests.

``pip install "dicomwright[testing]"`` brings it with pytest, which finds the fixtures by itself. A battery is a class:
subclass it, say what is tested, give a sample.

>>> import pytest
>>> from dicomwright.testing import ReaderConformance
>>> class TestAcmeReader(ReaderConformance):
...     module = "dicomwright_acme.plugin"
...     name = "acme"
...
...     @pytest.fixture
...     def source(self, tmp_path):
...         path = tmp_path / "scan.acme"
...         path.write_bytes(b"ACME...")
...         return path

Importing this package loads neither pytest nor numpy nor pydicom; a name loads what it needs.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dicomwright.testing.assertions import assert_same_bytes, assert_same_volume, assert_valid
    from dicomwright.testing.conformance.bundles import BundleConformance
    from dicomwright.testing.conformance.codecs import CodecConformance
    from dicomwright.testing.conformance.elements import ElementTypeConformance, FunctionConformance
    from dicomwright.testing.conformance.encoders import EncoderConformance
    from dicomwright.testing.conformance.executors import ExecutorConformance
    from dicomwright.testing.conformance.readers import ReaderConformance
    from dicomwright.testing.conformance.senders import SenderConformance
    from dicomwright.testing.conformance.validators import ValidatorConformance
    from dicomwright.testing.frozen import INSTANT, frozen_clock, frozen_uids
    from dicomwright.testing.parents import make_series, write_series
    from dicomwright.testing.samples import (
        sample_volume,
        write_nifti,
        write_pdf,
        write_raw,
    )
    from dicomwright.testing.temporary import PluginSite, plugin_set_of
    from dicomwright.testing.volumes import SpatialArray, VolumeMatch, compare_volumes, read_volume

_HOMES = {
    "testing.assertions": "assert_same_bytes assert_same_volume assert_valid",
    "testing.conformance.bundles": "BundleConformance",
    "testing.conformance.codecs": "CodecConformance",
    "testing.conformance.elements": "ElementTypeConformance FunctionConformance",
    "testing.conformance.encoders": "EncoderConformance",
    "testing.conformance.executors": "ExecutorConformance",
    "testing.conformance.readers": "ReaderConformance",
    "testing.conformance.senders": "SenderConformance",
    "testing.conformance.validators": "ValidatorConformance",
    "testing.frozen": "INSTANT frozen_clock frozen_uids",
    "testing.parents": "make_series write_series",
    "testing.samples": "sample_volume write_nifti write_pdf write_raw",
    "testing.temporary": "PluginSite plugin_set_of",
    "testing.volumes": "SpatialArray VolumeMatch compare_volumes read_volume",
}
_MODULES = {name: module for module, names in _HOMES.items() for name in names.split()}

__all__ = [
    "INSTANT",
    "BundleConformance",
    "CodecConformance",
    "ElementTypeConformance",
    "EncoderConformance",
    "ExecutorConformance",
    "FunctionConformance",
    "PluginSite",
    "ReaderConformance",
    "SenderConformance",
    "SpatialArray",
    "ValidatorConformance",
    "VolumeMatch",
    "assert_same_bytes",
    "assert_same_volume",
    "assert_valid",
    "compare_volumes",
    "frozen_clock",
    "frozen_uids",
    "make_series",
    "plugin_set_of",
    "read_volume",
    "sample_volume",
    "write_nifti",
    "write_pdf",
    "write_raw",
    "write_series",
]


def __getattr__(name: str) -> Any:
    """Import a name when it is first used."""
    if name not in _MODULES:
        raise AttributeError(f"module 'dicomwright.testing' has no attribute {name!r}")
    value = getattr(import_module(f"dicomwright.{_MODULES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
