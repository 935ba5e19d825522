"""The class that a pipeline derives from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from dicomwright_node.pipeline.check import check
from dicomwright_node.pipeline.errors import PipelineError
from dicomwright_node.pipeline.outputs import PipelineOutput
from dicomwright_node.pipeline.processor import AbstractProcessor, InputContainer

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from dicomwright import Blueprint, DicomFactory
    from dicomwright_node.pipeline.inputs import AbstractInput

__all__ = ["AbstractPipeline"]


class AbstractPipeline:
    """A pipeline: what comes in, what is done with it, and how the result is written.

    Examples
    --------
    >>> from dicomwright_node import AbstractInput, AbstractProcessor, NoOutput
    >>> class CTInput(AbstractInput):
    ...     required_values = {"Modality": "CT"}
    >>> class MyPipeline(AbstractPipeline):
    ...     ae_title = "MY_NODE"
    ...     input = {"ct": CTInput}
    ...
    ...     class Processor(AbstractProcessor):
    ...         def process(self, input_container):
    ...             print(len(input_container.datasets["ct"]), "images")
    ...             return NoOutput()
    >>> from pydicom.data import get_testdata_file
    >>> MyPipeline().run([get_testdata_file("CT_small.dcm")])
    1 images
    NoOutput()

    Raises
    ------
    PipelineError
        When it is made: all that is wrong with the class.

    Attributes
    ----------
    ae_title : str
        The node's AE title.
    ip : str
        The address that it listens on; nobody but this machine reaches it unless told.
    port : int
        Its port; 0 is any free one. The configuration goes before these three.
    input : dict of str to type of AbstractInput
        The inputs of a job, all of which it needs.
    patient_identifier_tag : tag
        Instances with one value of it make one job.
    dicom_factory : DicomFactory or type of DicomFactory
        Builds the outputs.
    header_blueprint : Blueprint, optional
        Which rule makes which tag of the outputs.
    Processor : type of AbstractProcessor
        The function.

    """

    ae_title: ClassVar[str] = "DICOMWRIGHT"
    ip: ClassVar[str] = "127.0.0.1"
    port: ClassVar[int] = 11112
    input: ClassVar[Mapping[str, type[AbstractInput]]] = {}
    patient_identifier_tag: ClassVar[Any] = 0x00100020
    dicom_factory: ClassVar[Any] = None
    header_blueprint: ClassVar[Blueprint | None] = None
    Processor: ClassVar[type[AbstractProcessor]] = AbstractProcessor

    def __init__(self) -> None:
        check(type(self))

    def make_factory(self) -> DicomFactory:
        """Return the factory that builds the outputs."""
        from dicomwright import DicomFactory

        given = self.dicom_factory or DicomFactory
        factory: DicomFactory = given() if isinstance(given, type) else given
        return factory

    def make_inputs(self, paths: Mapping[str, Sequence[Path]]) -> dict[str, AbstractInput]:
        """Return the inputs with their files; one without files has none."""
        return {name: kind(paths.get(name, ())) for name, kind in self.input.items()}

    def process(self, inputs: Mapping[str, AbstractInput], key: str = "") -> PipelineOutput:
        """Call the processor, here and now.

        Raises
        ------
        PipelineError
            It returned something else than an output.

        """
        processor = self.Processor()
        processor.pipeline = self
        output: Any = processor.process(InputContainer(inputs, key))
        if not isinstance(output, PipelineOutput):
            raise PipelineError(
                f"{type(self).__name__}.Processor.process returned a {type(output).__name__}, not a PipelineOutput",
                hint="return a DicomOutput, FileOutput, MultiOutput or NoOutput",
                kind="output",
            )
        return output

    def run(self, paths: Iterable[str | os.PathLike[str]]) -> PipelineOutput:
        """Run the pipeline on files in this process, without a node: for tests and debuggers.

        Raises
        ------
        PipelineError
            Files are of several patients, no input takes one, or an input is not complete.

        """
        from dicomwright_node.pipeline.routing import sorted_into

        key, files = sorted_into(type(self), paths)
        inputs = self.make_inputs(files)
        lacking = [name for name, one in inputs.items() if not one.validate()]
        if lacking:
            found = ", ".join(f"{name} has {inputs[name].images} images" for name in lacking)
            raise PipelineError(f"inputs are not complete: {found}", kind="incomplete")
        return self.process(inputs, key)
