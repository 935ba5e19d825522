"""A pipeline that is defined wrongly says all that is wrong with it, when it is used."""

from __future__ import annotations

import pytest

from dicomwright import Blueprint, DicomFactory
from dicomwright_node import AbstractInput, AbstractPipeline, AbstractProcessor, NoOutput, PipelineError
from dicomwright_node.pipeline import load
from dicomwright_node.pipeline.check import check


class CTInput(AbstractInput):
    required_values = {"Modality": "CT"}


class Processor(AbstractProcessor):
    def process(self, _input_container):
        return NoOutput()


def pipeline(**attributes):
    """Return a pipeline's class with some attributes changed."""
    return type("Mine", (AbstractPipeline,), {"input": {"ct": CTInput}, "Processor": Processor} | attributes)


def complaints(**attributes):
    """Return what is wrong with a pipeline."""
    with pytest.raises(PipelineError) as caught:
        pipeline(**attributes)()
    assert {problem.loc for problem in caught.value.problems} == {f"{__name__}.Mine"}
    return [f"{problem.message}; {problem.hint}" for problem in caught.value.problems]


def input_with(**attributes):
    return {"ct": type("Changed", (CTInput,), attributes)}


def test_a_pipeline_that_is_right():
    made = pipeline(
        ae_title="MY NODE",
        port=0,
        dicom_factory=DicomFactory(),
        header_blueprint=Blueprint(),
        patient_identifier_tag="StudyInstanceUID",
        report=3,
        _inputs="of my own",
    )()
    assert made.make_factory() is made.dicom_factory
    assert isinstance(pipeline(dicom_factory=DicomFactory)().make_factory(), DicomFactory)
    assert isinstance(pipeline()().make_factory(), DicomFactory)


class NoProcess(AbstractProcessor):
    pass


class WrongProcess(AbstractProcessor):
    def process(self):
        return NoOutput()


@pytest.mark.parametrize(
    ("attributes", "complaint"),
    [
        (
            {"Processor": AbstractProcessor},
            "it has no Processor; write a class Processor(AbstractProcessor) inside it",
        ),
        (
            {"Processor": dict},
            "Processor is the class dict; it is a class that derives from AbstractProcessor",
        ),
        ({"Processor": Processor()}, "Processor is a Processor; it is a class"),
        ({"Processor": NoProcess}, "its Processor has no method process"),
        ({"Processor": WrongProcess}, "its Processor.process takes other arguments"),
        ({"input": {}}, 'input is empty; it is a dict such as {"ct": CTInput}'),
        ({"input": CTInput}, "input is the class CTInput; it is a dict"),
        (
            {"input": {"ct": CTInput([])}},
            "input 'ct' is a CTInput; it is a class that derives from AbstractInput",
        ),
        ({"input": {3: CTInput}}, "the name of an input is 3"),
        ({"ae_title": "SEVENTEEN_LETTERS"}, "ae_title is 'SEVENTEEN_LETTERS'"),
        ({"ae_title": "  "}, "ae_title is '  '"),
        ({"ae_title": "A\\B"}, "ae_title is 'A\\\\B'"),
        ({"port": 70000}, "port is 70000"),
        ({"port": "104"}, "port is '104'"),
        ({"port": True}, "port is True"),
        ({"ip": None}, "ip is None"),
        ({"dicom_factory": "factory"}, "dicom_factory is a str; it is a DicomFactory"),
        ({"header_blueprint": {}}, "header_blueprint is a dict; it is a Blueprint"),
        (
            {"patient_identifier_tag": "PatientIdent"},
            "patient_identifier_tag: 'PatientIdent' is not a DICOM keyword",
        ),
        (
            {"input": input_with(required_tags="Modality")},
            "input 'ct': required_tags is a str; it is a list of tags",
        ),
        ({"input": input_with(required_tags=["Modalty"])}, "input 'ct': 'Modalty' is not a DICOM keyword"),
        (
            {"input": input_with(required_values=["CT"])},
            "input 'ct': required_values is a list; it is a dict",
        ),
        (
            {"input": input_with(required_values={"Modality": None})},
            "input 'ct': the value of 'Modality' is None",
        ),
        (
            {"input": input_with(required_values={"Modality": []})},
            "input 'ct': the value of 'Modality' is a list",
        ),
        (
            {"input": input_with(grinder="array")},
            "input 'ct': grinder is a str; it is a function of one argument",
        ),
        ({"input": input_with(validate=True)}, "input 'ct': validate takes other arguments"),
        ({"input": input_with(quiet=-1)}, "input 'ct': quiet is -1"),
        ({"input": input_with(quiet=float("nan"))}, "input 'ct': quiet is nan"),
        (
            {"input": input_with(image_grinder=len)},
            "input 'ct': image_grinder means nothing; did you mean grinder?",
        ),
        (
            {"input": input_with(required_tag=[])},
            "input 'ct': required_tag means nothing; did you mean required_tags?",
        ),
        (
            {"headers_blueprint": Blueprint()},
            "headers_blueprint means nothing; did you mean header_blueprint?",
        ),
        ({"processor": Processor}, "processor means nothing; did you mean Processor?"),
    ],
)
def test_what_is_wrong(attributes, complaint):
    (found,) = complaints(**attributes)
    assert complaint in found


def test_all_that_is_wrong_is_told_at_once():
    assert len(complaints(ae_title="", port=-1, input={}, Processor=None)) == 4


class MRInput(AbstractInput):
    required_values = {"Modality": "MR"}


class Contrast(CTInput):
    required_values = {"Modality": "CT", "SeriesDescription": "contrast"}


class Other(AbstractInput):
    required_values = {0x00080060: ["CT", "PT"]}


def test_two_inputs_that_accept_the_same():
    (found,) = complaints(input={"ct": CTInput, "other": Other, "mr": MRInput})
    assert found.startswith("inputs 'ct' and 'other' accept the same instances; ask for different values")
    assert check(pipeline(input={"ct": CTInput, "contrast": Contrast, "mr": MRInput})) is None


MODULE = """
from dicomwright_node import AbstractInput, AbstractPipeline, AbstractProcessor, NoOutput

class Any(AbstractInput):
    pass

class Right(AbstractPipeline):
    input = {"any": Any}
    class Processor(AbstractProcessor):
        def process(self, input_container):
            return NoOutput()

class Wrong(Right):
    port = -1

def make():
    class Local(Right):
        pass
    return Local

Made = make()
Other = Right
class Hidden(Right):
    pass
Shadowed, Hidden = Hidden, None
"""


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Put a module into the working directory, and return its name."""
    import sys

    name = f"trial_{tmp_path.name.replace('-', '_')}"
    (tmp_path / f"{name}.py").write_text(MODULE)
    (tmp_path / "leaves.py").write_text("import sys\nsys.exit(0)\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    return name


def test_a_pipeline_is_loaded_by_its_name(module, tmp_path, monkeypatch):
    assert load(f"{module}:Right").__name__ == "Right"
    assert load(f"{module}:Other").__name__ == "Right"
    monkeypatch.chdir("/")
    assert load(f"{tmp_path / module}.py:Right").__name__ == "Right"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("{}", "names no pipeline; write module:Class"),
        ("{}:", "names no pipeline"),
        ("{}:Absent", "cannot be imported: AttributeError"),
        ("absent:Right", "cannot be imported: ModuleNotFoundError: No module named 'absent'"),
        ("leaves:Right", "leaves.py:2: leaves:Right cannot be imported: SystemExit: 0"),
        ("{}:Any", "is no pipeline; a pipeline derives from AbstractPipeline"),
        ("{}:Wrong", "port is -1; it is a number from 0"),
        ("{}:Made", "which another process cannot import; define the class at the top of its module"),
        ("{}:Shadowed", "which another process cannot import"),
    ],
)
def test_a_name_that_is_no_pipeline(module, name, message):
    with pytest.raises(PipelineError) as caught:
        load(name.format(module))
    assert message in str(caught.value)
