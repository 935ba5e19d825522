"""Each defect that is sown is found, and nothing else."""

import pytest

from dicomwright import (
    Blueprint,
    CopyElement,
    DicomFactory,
    DiscardElement,
    FunctionalElement,
    IndexElement,
    SequenceElement,
    StaticElement,
)
from dicomwright.errors import BlueprintError

CODE = (
    ("CodeValue", "SH", "113076"),
    ("CodingSchemeDesignator", "SH", "DCM"),
    ("CodeMeaning", "LO", "Segmentation"),
)


def static(keyword, vr, value):
    return StaticElement(keyword, vr, value)


def code(*left_out, **more):
    elements = [StaticElement(*row) for row in CODE if row[0] not in left_out]
    return Blueprint([*elements, *(StaticElement(name, *row) for name, row in more.items())])


DEFECTS = [
    # required, and nothing produces it
    ("mr-image", DiscardElement("PatientName"), "error", "missing", "PatientName"),
    ("mr-image", DiscardElement("PatientID"), "error", "missing", "PatientID"),
    ("ct-image", DiscardElement("PatientBirthDate"), "error", "missing", "PatientBirthDate"),
    ("ct-image", DiscardElement("PatientSex"), "error", "missing", "PatientSex"),
    ("ct-image", DiscardElement("StudyInstanceUID"), "error", "missing", "StudyInstanceUID"),
    ("mr-image", DiscardElement("StudyDate"), "error", "missing", "StudyDate"),
    ("mr-image", DiscardElement("AccessionNumber"), "error", "missing", "AccessionNumber"),
    ("mr-image", DiscardElement("SeriesNumber"), "error", "missing", "SeriesNumber"),
    ("pet-image", DiscardElement("SeriesInstanceUID"), "error", "missing", "SeriesInstanceUID"),
    ("pet-image", DiscardElement("FrameOfReferenceUID"), "error", "missing", "FrameOfReferenceUID"),
    (
        "ct-image",
        DiscardElement("PositionReferenceIndicator"),
        "error",
        "missing",
        "PositionReferenceIndicator",
    ),
    ("ct-image", DiscardElement("Manufacturer"), "error", "missing", "Manufacturer"),
    ("ct-image", DiscardElement("KVP"), "error", "missing", "KVP"),
    ("ct-image", DiscardElement("AcquisitionNumber"), "error", "missing", "AcquisitionNumber"),
    ("ct-image", DiscardElement("ImageType"), "error", "missing", "ImageType"),
    ("mr-image", DiscardElement("ScanningSequence"), "error", "missing", "ScanningSequence"),
    ("mr-image", DiscardElement("SequenceVariant"), "error", "missing", "SequenceVariant"),
    ("mr-image", DiscardElement("EchoTime"), "error", "missing", "EchoTime"),
    ("mr-image", DiscardElement("Modality"), "error", "missing", "Modality"),
    ("pet-image", DiscardElement("Units"), "error", "missing", "Units"),
    ("pet-image", DiscardElement("FrameReferenceTime"), "error", "missing", "FrameReferenceTime"),
    ("pet-image", DiscardElement("RadiopharmaceuticalInformationSequence"), "error", "missing", None),
    # the condition of a conditional one holds
    ("ct-image", DiscardElement("PatientPosition"), "error", "conditional", "PatientPosition"),
    (
        "mr-image",
        static("ScanningSequence", "CS", ["GR", "IR"]),
        "error",
        "conditional",
        "InversionTime",
        "InversionTime",
    ),
    ("pet-image", static("PatientPosition", "CS", "HFS"), "error", "forbidden", "PatientPosition"),
    # type 1, and empty
    ("mr-image", static("Modality", "CS", ""), "error", "empty", "Modality"),
    ("ct-image", static("SeriesInstanceUID", "UI", ""), "error", "empty", "SeriesInstanceUID"),
    ("ct-image", static("ImageType", "CS", None), "error", "empty", "ImageType"),
    ("pet-image", static("Units", "CS", ""), "error", "empty", "Units"),
    # not among the enumerated values
    ("mr-image", static("PatientSex", "CS", "X"), "error", "enumerated", "PatientSex"),
    ("mr-image", static("BurnedInAnnotation", "CS", "MAYBE"), "error", "enumerated", "BurnedInAnnotation"),
    ("mr-image", static("MRAcquisitionType", "CS", "4D"), "error", "enumerated", "MRAcquisitionType"),
    ("mr-image", static("ScanningSequence", "CS", "XX"), "warning", "enumerated", "ScanningSequence"),
    (
        "ct-image",
        static("LossyImageCompression", "CS", "YES"),
        "error",
        "enumerated",
        "LossyImageCompression",
    ),
    (
        "ct-image",
        static("ImageType", "CS", ["COPIED", "PRIMARY", "AXIAL"]),
        "error",
        "enumerated",
        "ImageType",
    ),
    (
        "ct-image",
        static("ImageType", "CS", ["DERIVED", "TERTIARY", "AXIAL"]),
        "error",
        "enumerated",
        "ImageType",
    ),
    ("pet-image", static("ImageType", "CS", ["DERIVED", "SECONDARY"]), "error", "enumerated", "ImageType"),
    ("pet-image", static("CountsSource", "CS", "DECAY"), "warning", "enumerated", "CountsSource"),
    ("mr-image", static("ImageType", "CS", ["DERIVED", "PRIMARY"]), "error", "value", "ImageType"),
    ("mr-image", static("Modality", "CS", "CT"), "error", "enumerated", "Modality"),
    ("ct-image", static("PatientPosition", "CS", "HFSS"), "warning", "term", "PatientPosition"),
    # an attribute of another IOD, or at another place
    ("mr-image", static("KVP", "DS", "120"), "warning", "not-in-iod", "KVP"),
    ("ct-image", static("EchoTime", "DS", "30"), "warning", "not-in-iod", "EchoTime"),
    ("ct-image", static("ConversionType", "CS", "WSD"), "warning", "not-in-iod", "ConversionType"),
    ("mr-image", static("CodeMeaning", "LO", "Brain"), "warning", "not-in-iod", "CodeMeaning"),
    ("mr-image", static("NumberOfFrames", "IS", 3), "warning", "not-in-iod", "NumberOfFrames"),
    # in the items of a sequence
    (
        "mr-image",
        SequenceElement("DerivationCodeSequence", [code("CodeMeaning")]),
        "warning",
        "missing",
        "DerivationCodeSequence.CodeMeaning",
    ),
    (
        "mr-image",
        SequenceElement("DerivationCodeSequence", [code("CodeValue")]),
        "warning",
        "conditional",
        "DerivationCodeSequence.CodeValue",
    ),
    (
        "mr-image",
        SequenceElement("DerivationCodeSequence", [code(KVP=("DS", "1"))]),
        "warning",
        "not-in-iod",
        "DerivationCodeSequence.KVP",
    ),
    (
        "mr-image",
        SequenceElement(
            "ReferencedImageSequence", [Blueprint([static("ReferencedSOPClassUID", "UI", "1.2")])]
        ),
        "warning",
        "missing",
        "ReferencedImageSequence.ReferencedSOPInstanceUID",
    ),
    # the encoder knows better
    ("mr-image", static("Rows", "US", 5), "warning", "overridden", "Rows"),
    (
        "mr-image",
        static("ImagePositionPatient", "DS", [1, 2, 3]),
        "warning",
        "overridden",
        "ImagePositionPatient",
    ),
    (
        "ct-image",
        FunctionalElement("RescaleSlope", "DS", lambda _: 2),
        "warning",
        "overridden",
        "RescaleSlope",
    ),
    ("ct-image", IndexElement("SliceLocation", "DS", [1, 2, 3]), "warning", "overridden", "SliceLocation"),
    # two builds, one identity
    ("mr-image", static("SeriesInstanceUID", "UI", "1.2.3"), "warning", "fixed-uid", "SeriesInstanceUID"),
    # values that are not legal
    ("mr-image", static("AccessionNumber", "SH", "12345678901234567"), "error", "value", "AccessionNumber"),
    ("mr-image", static("SeriesDescription", "LO", "x" * 65), "error", "value", "SeriesDescription"),
    ("mr-image", static("StudyDate", "DA", "20260230"), "error", "value", "StudyDate"),
    ("mr-image", static("BodyPartExamined", "CS", "brain!"), "error", "value", "BodyPartExamined"),
    ("mr-image", static("StudyID", "SH", ["1", "2"]), "error", "value", "StudyID"),
    ("mr-image", static("SeriesInstanceUID", "UI", "1.02.3"), "error", "value", "SeriesInstanceUID"),
]


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda row: f"{row[3]} {row[4]}")
def test_each_defect_is_found(lint, defect):
    shipped, element, severity, kind, keyword, *beside = defect
    more = [DiscardElement(keyword) for keyword in beside]
    found = lint(shipped, element, *more)
    named = [one for one in found if (one.severity, one.kind) == (severity, kind)]
    assert named, found
    if keyword:
        assert keyword in {one.keyword for one in named}
    one = next(row for row in named if keyword in (None, row.keyword))
    assert __file__ in one.origin
    assert one.tag in one.message
    assert one.fix
    assert one.module or keyword == "CodeMeaning"  # which is in items alone


def test_there_are_enough_defects():
    assert len(DEFECTS) >= 40


@pytest.mark.parametrize("name", ["mr-image", "ct-image", "pet-image"])
def test_shipped_blueprints_have_none(lint, name):
    assert lint(name) == []


def test_what_cannot_be_decided_is_a_note(lint):
    found = lint("pet-image", notes=True)
    assert {one.severity for one in found} == {"note"}
    assert "TriggerTime" in {one.keyword for one in found if one.kind == "condition"}


def test_module_and_type_are_named(lint):
    (found,) = lint("ct-image", DiscardElement("KVP"))
    assert (found.module, found.tag) == ("CT Image", "(0018,0060)")
    assert "type 2, CT Image module (M) is not produced" in found.message


def test_of_another_iod_is_said_where_it_is_from(lint):
    (found,) = lint("ct-image", static("EchoTime", "DS", "30"))
    assert found.module == "MR Image"
    (found,) = lint("mr-image", SequenceElement("DerivationCodeSequence", [code(KVP=("DS", "1"))]))
    assert found.module == "General Reference"


def test_terms_of_ones_own_are_notes(lint):
    (found,) = [
        one
        for one in lint("secondary-capture-image", static("ConversionType", "CS", "WDS"), notes=True)
        if one.kind == "term"
    ]
    assert (found.severity, found.keyword, found.module) == ("note", "ConversionType", "SC Equipment")


def test_private_elements_need_a_creator(lint):
    creator = static(0x00090010, "LO", "ACME")
    (found,) = lint("mr-image", static(0x00091001, "LO", "x"))
    assert (found.severity, found.kind, found.tag) == ("error", "value", "(0009,1001)")
    assert __file__ in found.origin
    assert lint("mr-image", static(0x00091001, "LO", "x"), creator) == []
    assert lint("mr-image", static(0x00091001, "LO", "x"), DiscardElement(0x00090010)) == [found]
    assert lint("mr-image", CopyElement(0x00091001, optional=True)) == []


def test_a_conditional_attribute_of_a_module_that_is_begun(lint):
    found = lint("ct-image", static("WindowWidth", "DS", "350"), DiscardElement("WindowCenter"))
    assert {(one.severity, one.kind, one.keyword, one.module) for one in found} == {
        ("error", "conditional", "WindowCenter", "VOI LUT"),
        ("warning", "module", "VOILUTSequence", "VOI LUT"),
    }


def test_a_sop_class_that_is_discarded(lint):
    found = lint("mr-image", DiscardElement("SOPClassUID"))
    assert [(one.severity, one.kind, one.keyword) for one in found][:1] == [
        ("error", "sop-class", "SOPClassUID")
    ]
    assert __file__ in found[0].origin


def test_optional_modules_are_whole_or_absent(lint):
    found = lint("ct-image", static("ContrastBolusVolume", "DS", "50"))
    assert [one for one in found if one.severity == "error"] == []


def test_required_copies_without_parents_are_told(lint):
    (found,) = [one for one in lint("mr-image", CopyElement("StudyID"), notes=True) if one.kind == "parent"]
    assert (found.severity, "StudyID" in found.message) == ("note", True)


def test_another_iod_than_the_one_asked_for():
    found = DicomFactory().lint(Blueprint.load("mr-image"), iod="CTImageStorage")
    assert any(one.kind == "sop-class" and one.severity == "error" for one in found)


def test_the_iod_completes_a_blueprint_without_one():
    blueprint = Blueprint([static("SeriesDescription", "LO", "x"), static("PatientSex", "CS", "X")])
    found = DicomFactory().lint(blueprint, iod="MRImageStorage")
    assert [one.keyword for one in found if one.severity == "error"] == ["PatientSex"]


def test_nothing_says_what_it_is():
    found = DicomFactory().lint(Blueprint([static("SeriesDescription", "LO", "x")]))
    assert [one.kind for one in found if one.severity == "error"] == ["sop-class"]


@pytest.mark.parametrize(
    "name", ["enumerated", "PatientSex", "enumerated:PatientSex", "(0010,0040)", "00100040"]
)
def test_exceptions_are_named(lint, name):
    element = static("PatientSex", "CS", "X")
    assert lint("mr-image", element, allow=[name]) == []
    (found,) = [
        one for one in lint("mr-image", element, allow=[name], notes=True) if one.keyword == "PatientSex"
    ]
    assert found.message.startswith("allowed: ")


@pytest.mark.parametrize("name", ["enumerate", "PatientSx", "missing:PatientSx", "mising:PatientSex"])
def test_exceptions_that_are_none_are_refused(lint, name):
    with pytest.raises(BlueprintError, match="neither a kind of finding nor an attribute"):
        lint("mr-image", allow=[name])


def test_an_exception_for_something_else_does_not_help(lint):
    (found,) = lint("mr-image", static("PatientSex", "CS", "X"), allow=["missing:PatientSex", "PatientName"])
    assert found.severity == "error"


def test_values_that_are_younger_than_the_tables_stop_nothing(lint):
    found = lint("pet-image", static("CorrectedImage", "CS", "NEWCORR"), static("Units", "CS", "NEWUNIT"))
    assert [one for one in found if one.severity == "error"] == []
