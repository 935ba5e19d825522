"""The user's function, and what it is given."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from dicomwright_node.pipeline.errors import PipelineError

if TYPE_CHECKING:
    from pathlib import Path

    from pydicom import Dataset

    from dicomwright import Blueprint, DicomFactory, ParentSeries
    from dicomwright_node.pipeline.inputs import AbstractInput
    from dicomwright_node.pipeline.outputs import PipelineOutput

__all__ = ["AbstractProcessor", "InputContainer"]

_Value = TypeVar("_Value")


class _Made(Mapping[str, _Value]):
    """A mapping whose values are made when they are first asked for."""

    def __init__(self, inputs: Mapping[str, AbstractInput], make: Callable[[AbstractInput], _Value]) -> None:
        self._inputs = inputs
        self._make = make
        self._made: dict[str, _Value] = {}

    def __getitem__(self, name: str) -> _Value:
        if name not in self._inputs:
            raise KeyError(f"there is no input {name!r}; there are: {', '.join(self._inputs)}")
        if name not in self._made:
            self._made[name] = self._make(self._inputs[name])
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._inputs)

    def __len__(self) -> int:
        return len(self._inputs)


class InputContainer(_Made[Any]):
    """The inputs of one job, each by its name.

    ``input_container["ct"]`` is what the grinder of the input makes. Everything is made when it is first asked for.

    Attributes
    ----------
    datasets : mapping of str to list of Dataset
        The data sets of an input, in order along its slice normal.
    paths : mapping of str to list of Path
        Their files; they are the node's, and must not be changed.
    parents : mapping of str to ParentSeries
        Their headers, as parents of what is built.
    inputs : mapping of str to AbstractInput
        The inputs themselves.
    key : str
        What the inputs have in common: the patient's ID, or the value of the pipeline's `patient_identifier_tag`.

    """

    def __init__(self, inputs: Mapping[str, AbstractInput], key: str = "") -> None:
        super().__init__(inputs, lambda one: grinder_of(type(one))(one))
        self.inputs = inputs
        self.key = key
        self.datasets: Mapping[str, list[Dataset]] = _Made(inputs, lambda one: one.datasets)
        self.paths: Mapping[str, list[Path]] = _Made(inputs, lambda one: list(one.paths))
        self.parents: Mapping[str, ParentSeries] = _Made(inputs, lambda one: one.parents)


class AbstractProcessor:
    """The user's function: subclass it as ``Processor`` inside a pipeline, and write `process`.

    It runs in a process of its own, once for each job. What it raises fails that job only.

    Attributes
    ----------
    pipeline : AbstractPipeline
        The pipeline, with all that its class says.
    dicom_factory : DicomFactory
        That of the pipeline. The UIDs of what it builds follow from the job, so that a job that runs again after a
        crash gives them again.
    header_blueprint : Blueprint
        That of the pipeline.
    logger : logging.Logger
        What is logged here is kept with the job.

    """

    pipeline: Any = None
    logger = logging.getLogger("dicomwright_node.processor")

    @property
    def dicom_factory(self) -> DicomFactory:
        """The factory of the pipeline."""
        factory: DicomFactory = self.pipeline.make_factory()
        return factory

    @property
    def header_blueprint(self) -> Blueprint:
        """The blueprint of the pipeline."""
        blueprint: Blueprint | None = self.pipeline.header_blueprint
        if blueprint is None:
            raise PipelineError(
                f"{type(self.pipeline).__name__} has no header_blueprint", hint="set one in the class"
            )
        return blueprint

    def process(self, input_container: InputContainer) -> PipelineOutput:
        """Return what is made of the inputs."""
        raise NotImplementedError


def grinder_of(input_class: type[AbstractInput]) -> Callable[[Any], Any]:
    """Return the grinder of an input's class, not bound to an instance."""
    import inspect

    found = inspect.getattr_static(input_class, "grinder")
    grinder: Callable[[Any], Any] = getattr(found, "__func__", found)
    return grinder
