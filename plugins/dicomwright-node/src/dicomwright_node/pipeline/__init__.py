"""What a pipeline is written with: `AbstractPipeline`, its inputs, its processor, its outputs."""

from __future__ import annotations

from dicomwright_node.pipeline.definition import AbstractPipeline
from dicomwright_node.pipeline.errors import PipelineError
from dicomwright_node.pipeline.inputs import AbstractInput
from dicomwright_node.pipeline.load import load
from dicomwright_node.pipeline.outputs import (
    Address,
    DicomOutput,
    FileOutput,
    MultiOutput,
    NoOutput,
    PipelineOutput,
)
from dicomwright_node.pipeline.processor import AbstractProcessor, InputContainer

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
    "load",
]
