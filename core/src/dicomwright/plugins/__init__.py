"""The plug-in system: what third parties import, and what the core asks.

A plug-in is a distribution with an entry point in the group ``dicomwright`` that names a light module:

>>> @hookimpl
... def dicomwright_readers():
...     return [
...         ReaderSpec(
...             name="acme",
...             summary="ACME volumes",
...             target="dicomwright_acme.reader:AcmeReader",
...             extensions=(".acme",),
...         )
...     ]

Nothing here imports numpy, pydicom or the code behind a descriptor until it is used.
"""

from __future__ import annotations

from dicomwright.plugins.descriptors import (
    CodecSpec,
    CommandSpec,
    ElementTypeSpec,
    EncoderSpec,
    ExecutorSpec,
    FunctionSpec,
    OptionSpec,
    ReaderSpec,
    SenderSpec,
    Spec,
    ValidatorSpec,
)
from dicomwright.plugins.hooks import API_VERSION, KINDS, Kind, hookimpl, hookspec
from dicomwright.plugins.plugin_set import PluginSet, default, load
from dicomwright.plugins.protocols import Delivery, Executor, Reader, Sender
from dicomwright.plugins.records import PluginRecord, Provider
from dicomwright.plugins.registry import Registry
from dicomwright.plugins.statements import RuleOption, RuleValue

__all__ = [
    "API_VERSION",
    "KINDS",
    "CodecSpec",
    "CommandSpec",
    "Delivery",
    "ElementTypeSpec",
    "EncoderSpec",
    "Executor",
    "ExecutorSpec",
    "FunctionSpec",
    "Kind",
    "OptionSpec",
    "PluginRecord",
    "PluginSet",
    "Provider",
    "Reader",
    "ReaderSpec",
    "Registry",
    "RuleOption",
    "RuleValue",
    "Sender",
    "SenderSpec",
    "Spec",
    "ValidatorSpec",
    "default",
    "hookimpl",
    "hookspec",
    "load",
]
