"""DICOM in, DICOM out: receive series, run a function on them, send the result on.

Examples
--------
>>> from dicomwright_node import AbstractInput, AbstractPipeline, AbstractProcessor, NoOutput
>>> class CTInput(AbstractInput):
...     required_values = {"Modality": "CT"}
>>> class MyPipeline(AbstractPipeline):
...     ae_title = "MY_NODE"
...     input = {"ct": CTInput}
...
...     class Processor(AbstractProcessor):
...         def process(self, input_container):
...             return NoOutput()
>>> MyPipeline().ae_title
'MY_NODE'

"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dicomwright_node.pipeline import (
        AbstractInput,
        AbstractPipeline,
        AbstractProcessor,
        Address,
        DicomOutput,
        FileOutput,
        InputContainer,
        MultiOutput,
        NoOutput,
        PipelineError,
        PipelineOutput,
    )

__all__ = [
    "AbstractInput",
    "AbstractPipeline",
    "AbstractProcessor",
    "Address",
    "DicomOutput",
    "FileOutput",
    "InputContainer",
    "MultiOutput",
    "NoOutput",
    "PipelineError",
    "PipelineOutput",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that listing plug-ins stays light."""
    if name not in __all__:
        raise AttributeError(f"module 'dicomwright_node' has no attribute {name!r}")
    from dicomwright_node import pipeline

    return getattr(pipeline, name)


def __dir__() -> list[str]:
    return sorted(__all__)
