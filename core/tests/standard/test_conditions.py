"""Decisions of conditions: right where the object shows it, undecided where it does not."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dicomwright import standard
from dicomwright.standard.condition_language import parse
from dicomwright.standard.conditions import (
    UNKNOWN,
    Decision,
    MappingView,
    decide,
    decide_macro,
    decide_module,
)
from dicomwright.standard.iods import tag_of

CT, MR, PET = "CTImageStorage", "MRImageStorage", "PositronEmissionTomographyImageStorage"
SC, SCB = "SecondaryCaptureImageStorage", "MultiFrameGrayscaleByteSecondaryCaptureImageStorage"
NM, PDF = "NuclearMedicineImageStorage", "EncapsulatedPDFStorage"
ECT, EMR, EPET = "EnhancedCTImageStorage", "EnhancedMRImageStorage", "EnhancedPETImageStorage"
YES, NO, FORBIDDEN, UNDECIDED = "required", "not required", "forbidden", "undecided"


def view(values):
    """Return a view of a mapping from keyword to value."""
    return MappingView(numbered(values))


def numbered(values):
    return {tag_of(keyword): plain(value) for keyword, value in values.items()}


def plain(value):
    """Return a value with its items numbered, too."""
    is_items = isinstance(value, list) and value and isinstance(value[0], dict)
    return [numbered(item) for item in value] if is_items else value


def decision(iod, place, values=None, *levels):
    found = standard.iod(iod)
    attribute = next(row for row in found.at(place) if row.type.endswith("C"))
    return decide(found, attribute, [view(values or {}), *map(view, levels)]).value


@pytest.mark.parametrize(
    ("iod", "keyword", "values", "expected"),
    [
        # Samples per pixel
        (CT, "PlanarConfiguration", {"SamplesPerPixel": 1}, NO),
        (SC, "PlanarConfiguration", {"SamplesPerPixel": 3}, YES),
        (SC, "PlanarConfiguration", {"SamplesPerPixel": UNKNOWN}, UNDECIDED),
        # Palettes
        (SC, "RedPaletteColorLookupTableData", {"PhotometricInterpretation": "PALETTE COLOR"}, YES),
        (SC, "RedPaletteColorLookupTableData", {"PhotometricInterpretation": "MONOCHROME2"}, NO),
        (ECT, "RedPaletteColorLookupTableData", {"PixelPresentation": "MIXED"}, YES),
        # Pixel data, padding, tables
        (CT, "PixelData", {}, YES),
        (CT, "PixelDataProviderURL", {}, NO),
        (CT, "PixelPaddingValue", {}, NO),
        (CT, "PixelPaddingRangeLimit", {}, NO),
        (CT, "PixelPaddingRangeLimit", {"PixelPaddingValue": -2000}, UNDECIDED),
        (CT, "ExtendedOffsetTableLengths", {}, NO),
        (CT, "PixelAspectRatio", {"PixelSpacing": [0.7, 0.9]}, NO),
        (SC, "PixelAspectRatio", {}, UNDECIDED),
        (ECT, "PixelAspectRatio", {}, NO),
        # Patient position
        (CT, "PatientPosition", {}, YES),
        (MR, "PatientPosition", {}, YES),
        (PET, "PatientPosition", {}, NO),
        (PET, "PatientPosition", {"PatientOrientationCodeSequence": []}, FORBIDDEN),
        (ECT, "PatientPosition", {}, YES),
        (SC, "PatientPosition", {}, NO),
        # Laterality
        (CT, "Laterality", {"BodyPartExamined": "HEAD"}, NO),
        (CT, "Laterality", {"BodyPartExamined": "KNEE"}, YES),
        (CT, "Laterality", {"BodyPartExamined": "KNEE", "ImageLaterality": "L"}, NO),
        (CT, "Laterality", {"BodyPartExamined": "SOMETHING"}, UNDECIDED),
        (CT, "Laterality", {"BodyPartExamined": UNKNOWN}, UNDECIDED),
        (CT, "Laterality", {}, UNDECIDED),
        # Patient orientation
        (CT, "PatientOrientation", {}, NO),
        (PET, "PatientOrientation", {}, NO),
        (SC, "PatientOrientation", {}, YES),
        (NM, "PatientOrientation", {}, UNDECIDED),
        (SCB, "PatientOrientation", {}, YES),
        (SC, "PatientOrientation", {"ImagePositionPatient": [0, 0, 0]}, UNDECIDED),
        # Animals
        (CT, "PatientSpeciesDescription", {}, UNDECIDED),
        (CT, "PatientSpeciesDescription", {"PatientSpeciesCodeSequence": [{}]}, NO),
        (CT, "PatientBreedDescription", {}, NO),
        (CT, "ResponsiblePerson", {"PatientSpeciesDescription": "Canis lupus"}, UNDECIDED),
        (CT, "ResponsiblePersonRole", {}, NO),
        # De-identification
        (CT, "DeidentificationMethod", {"PatientIdentityRemoved": "YES"}, YES),
        (CT, "DeidentificationMethod", {"PatientIdentityRemoved": "NO"}, NO),
        (CT, "DeidentificationMethod", {}, NO),
        (
            CT,
            "DeidentificationMethod",
            {"PatientIdentityRemoved": "YES", "DeidentificationMethodCodeSequence": [{}]},
            NO,
        ),
        # SOP common
        (CT, "SpecificCharacterSet", {}, UNDECIDED),
        (CT, "QueryRetrieveView", {}, NO),
        (CT, "ReferencedDefinedProtocolSequence", {}, NO),
        (CT, "ReferencedPerformedProtocolSequence", {}, UNDECIDED),
        (CT, "EncryptedAttributesSequence", {}, NO),
        # CT
        (CT, "RescaleType", {}, UNDECIDED),
        (CT, "RescaleType", {"MultienergyCTAcquisition": "YES"}, YES),
        (CT, "EnergyWeightingFactor", {}, NO),
        (CT, "WaterEquivalentDiameterCalculationMethodCodeSequence", {"WaterEquivalentDiameter": 250.0}, YES),
        # MR
        (MR, "RepetitionTime", {"ScanningSequence": "SE", "SequenceVariant": "NONE"}, YES),
        (MR, "RepetitionTime", {"ScanningSequence": ["EP", "SE"], "SequenceVariant": "NONE"}, NO),
        (MR, "RepetitionTime", {"ScanningSequence": "EP", "SequenceVariant": ["SK", "SP"]}, YES),
        (MR, "RepetitionTime", {"ScanningSequence": "EP", "SequenceVariant": UNKNOWN}, UNDECIDED),
        (MR, "InversionTime", {"ScanningSequence": ["SE", "IR"]}, YES),
        (MR, "InversionTime", {"ScanningSequence": "RM"}, NO),
        (MR, "TriggerTime", {"ScanOptions": ["PFP", "CG"]}, YES),
        (MR, "TriggerTime", {"ScanOptions": "PFP"}, NO),
        (MR, "TriggerTime", {}, NO),
        (MR, "TriggerTime", {"ScanOptions": "HEARTBEAT"}, UNDECIDED),
        # PET
        (PET, "DecayFactor", {"DecayCorrection": "START"}, YES),
        (PET, "DecayFactor", {"DecayCorrection": "NONE"}, NO),
        (PET, "TriggerTime", {"SeriesType": ["GATED", "IMAGE"]}, YES),
        (PET, "TriggerTime", {"SeriesType": ["STATIC", "IMAGE"]}, NO),
        (PET, "NumberOfTimeSlices", {"SeriesType": ["DYNAMIC", "IMAGE"]}, YES),
        (PET, "ReprojectionMethod", {"SeriesType": ["STATIC", "REPROJECTION"]}, YES),
        (PET, "LowRRValue", {"SeriesType": ["GATED", "IMAGE"], "BeatRejectionFlag": "Y"}, YES),
        (PET, "LowRRValue", {"SeriesType": ["STATIC", "IMAGE"], "BeatRejectionFlag": UNKNOWN}, NO),
        (PET, "LossyImageCompression", {"LossyImageCompressionRatio": 12.5}, YES),
        (PET, "LossyImageCompression", {}, UNDECIDED),
        # NM
        (NM, "SliceVector", {"FrameIncrementPointer": [0x00540080]}, YES),
        (NM, "RotationVector", {"FrameIncrementPointer": [0x00540080]}, NO),
        (NM, "ScanLength", {"ImageType": ["ORIGINAL", "PRIMARY", "WHOLE BODY", "EMISSION"]}, YES),
        (NM, "NumberOfRotations", {"ImageType": ["DERIVED", "PRIMARY", "RECON TOMO", "EMISSION"]}, YES),
        (NM, "NumberOfRotations", {"ImageType": ["DERIVED", "PRIMARY", "STATIC", "EMISSION"]}, NO),
        # Secondary capture, several frames
        (SCB, "FrameIncrementPointer", {"NumberOfFrames": 4}, YES),
        (SCB, "FrameIncrementPointer", {"NumberOfFrames": UNKNOWN}, UNDECIDED),
        (SCB, "FrameIncrementPointer", {"NumberOfFrames": 1}, NO),
        (SCB, "PageNumberVector", {"FrameIncrementPointer": 0x00182001}, YES),
        (SCB, "PageNumberVector", {"FrameIncrementPointer": 0x00181063}, NO),
        (SCB, "FrameTime", {"FrameIncrementPointer": 0x00181063}, YES),
        (SCB, "NominalScannedPixelSpacing", {"ConversionType": "DF"}, YES),
        (SCB, "NominalScannedPixelSpacing", {"ConversionType": "WSD"}, NO),
        (SCB, "RescaleSlope", {"PhotometricInterpretation": "MONOCHROME2", "BitsStored": 8}, YES),
        (SCB, "RescaleSlope", {"PhotometricInterpretation": "MONOCHROME2", "BitsStored": 1}, NO),
        # Encapsulated PDF
        (PDF, "HL7InstanceIdentifier", {}, NO),
        (PDF, "SourceInstanceSequence", {}, UNDECIDED),
        (PDF, "ContinuityOfContent", {}, NO),
        # Enhanced
        (EMR, "PerFrameFunctionalGroupsSequence", {}, YES),
        (EMR, "AcquisitionDateTime", {"ImageType": ["ORIGINAL", "PRIMARY", "M", "NONE"]}, YES),
        (EMR, "AcquisitionDateTime", {"ImageType": ["DERIVED", "PRIMARY", "M", "NONE"]}, NO),
        (EMR, "PresentationLUTShape", {"PhotometricInterpretation": "MONOCHROME2"}, YES),
        (ECT, "BurnedInAnnotation", {}, YES),
        (ECT, "LossyImageCompressionRatio", {"LossyImageCompression": "01"}, YES),
        (ECT, "LossyImageCompressionRatio", {"LossyImageCompression": "00"}, NO),
        (ECT, "DimensionIndexSequence", {}, YES),
        (ECT, "DimensionIndexSequence", {"DimensionOrganizationType": "TILED_FULL"}, NO),
        (ECT, "ConcatenationUID", {}, NO),
        (ECT, "ConcatenationUID", {"InConcatenationNumber": 1}, YES),
        (EPET, "RandomsCorrectionMethod", {"RandomsCorrected": "YES"}, YES),
        (EPET, "DetectorGeometry", {"ImageType": ["DERIVED", "PRIMARY", "VOLUME", "NONE"]}, NO),
    ],
)
def test_top_level_conditions(iod, keyword, values, expected):
    assert decision(iod, keyword, values) == expected


GROUPS = "SharedFunctionalGroupsSequence"


@pytest.mark.parametrize(
    ("iod", "place", "levels", "expected"),
    [
        (CT, "ProcedureCodeSequence.CodeValue", [{}, {}], YES),
        (CT, "ProcedureCodeSequence.CodeValue", [{}, {"LongCodeValue": "123456789012345678"}], NO),
        (CT, "ProcedureCodeSequence.LongCodeValue", [{}, {"CodeValue": "1"}], NO),
        (CT, "ProcedureCodeSequence.URNCodeValue", [{}, {}], UNDECIDED),
        (CT, "ProcedureCodeSequence.CodingSchemeDesignator", [{}, {"CodeValue": "1"}], YES),
        (CT, "ProcedureCodeSequence.CodingSchemeDesignator", [{}, {"URNCodeValue": "urn:x"}], NO),
        (CT, "ProcedureCodeSequence.CodingSchemeVersion", [{}, {}], FORBIDDEN),
        (CT, "ProcedureCodeSequence.CodingSchemeVersion", [{}, {"CodingSchemeDesignator": "SCT"}], NO),
        (CT, "ProcedureCodeSequence.CodingSchemeVersion", [{}, {"CodingSchemeDesignator": "99X"}], UNDECIDED),
        (CT, "ProcedureCodeSequence.MappingResource", [{}, {"ContextIdentifier": "4031"}], YES),
        (
            CT,
            "IssuerOfAccessionNumberSequence.UniversalEntityIDType",
            [{}, {"UniversalEntityID": "1.2"}],
            YES,
        ),
        (CT, "IssuerOfAccessionNumberSequence.UniversalEntityID", [{}, {"LocalNamespaceEntityID": "H"}], NO),
        (
            CT,
            "SourceImageSequence.ReferencedFrameNumber",
            [{}, {"ReferencedSOPClassUID": "1.2.840.10008.5.1.4.1.1.4"}],
            NO,
        ),
        (
            CT,
            "SourceImageSequence.ReferencedFrameNumber",
            [{}, {"ReferencedSOPClassUID": "1.2.840.10008.5.1.4.1.1.4.1"}],
            UNDECIDED,
        ),
        (
            CT,
            "SourceImageSequence.ReferencedSegmentNumber",
            [{}, {"ReferencedSOPClassUID": "1.2.840.10008.5.1.4.1.1.4.1"}],
            NO,
        ),
        (
            EMR,
            "DimensionIndexSequence.FunctionalGroupPointer",
            [{}, {"DimensionIndexPointer": 0x00209056}],
            YES,
        ),
        (
            EMR,
            "DimensionIndexSequence.DimensionIndexPrivateCreator",
            [{}, {"DimensionIndexPointer": 0x00291001}],
            YES,
        ),
        (
            EMR,
            "DimensionIndexSequence.DimensionIndexPrivateCreator",
            [{}, {"DimensionIndexPointer": 0x00209056}],
            NO,
        ),
        (
            EMR,
            f"{GROUPS}.FrameContentSequence.DimensionIndexValues",
            [{"DimensionIndexSequence": [{}]}, {}, {}],
            YES,
        ),
        (
            EMR,
            f"{GROUPS}.PixelMeasuresSequence.PixelSpacing",
            [{"VolumetricProperties": "VOLUME"}, {}, {}],
            YES,
        ),
        (
            EMR,
            f"{GROUPS}.PixelMeasuresSequence.PixelSpacing",
            [{"VolumetricProperties": "MIXED"}, {}, {}],
            UNDECIDED,
        ),
        (
            EMR,
            f"{GROUPS}.PlanePositionSequence.ImagePositionPatient",
            [{"ImageType": ["DERIVED", "PRIMARY"], "VolumetricProperties": "VOLUME"}, {}, {}],
            NO,
        ),
        (
            EMR,
            f"{GROUPS}.PlanePositionSequence.ImagePositionPatient",
            [{"ImageType": ["ORIGINAL", "PRIMARY"], "VolumetricProperties": "VOLUME"}, {}, {}],
            YES,
        ),
        (
            EMR,
            f"{GROUPS}.PlanePositionSequence.ImagePositionPatient",
            [{"ImageType": ["MIXED", "PRIMARY"], "VolumetricProperties": "VOLUME"}, {}, {}],
            UNDECIDED,
        ),
    ],
)
def test_nested_conditions(iod, place, levels, expected):
    assert decision(iod, place, *levels) == expected


def test_evidence_is_required_for_what_a_group_refers_to():
    reference = {"ReferencedSOPInstanceUID": "1.2.3"}
    group = {"DerivationImageSequence": [{"SourceImageSequence": [reference]}]}
    for sequence in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"):
        assert decision(EMR, "SourceImageEvidenceSequence", {sequence: [{}, group]}) == YES
        assert decision(EMR, "ReferencedImageEvidenceSequence", {sequence: [group]}) == NO
        assert (
            decision(
                EMR, "ReferencedImageEvidenceSequence", {sequence: [{"ReferencedImageSequence": [reference]}]}
            )
            == YES
        )
    hidden = MappingView({0x52009229: UNKNOWN})
    emr = standard.iod(EMR)
    assert decide(emr, emr.at("SourceImageEvidenceSequence")[0], hidden) is Decision.UNDECIDED


@pytest.mark.parametrize(
    ("iod", "key", "values", "expected"),
    [
        (CT, "image-plane", {}, YES),
        (CT, "device", {}, NO),
        (CT, "contrast-bolus", {}, UNDECIDED),
        (CT, "contrast-bolus", {"ContrastBolusAgent": "Iohexol"}, YES),
        (CT, "multi-energy-ct-image", {}, NO),
        (CT, "multi-energy-ct-image", {"MultienergyCTAcquisition": "YES"}, YES),
        (PET, "pet-multi-gated-acquisition", {"SeriesType": ["STATIC", "IMAGE"]}, NO),
        (NM, "nm-reconstruction", {"ImageType": ["DERIVED", "PRIMARY", "RECON TOMO", "EMISSION"]}, YES),
        (NM, "nm-phase", {"ImageType": ["DERIVED", "PRIMARY", "RECON TOMO", "EMISSION"]}, NO),
        (SCB, "sc-multi-frame-vector", {"NumberOfFrames": 2}, YES),
        (SCB, "sc-multi-frame-vector", {"NumberOfFrames": "1"}, NO),
        (SCB, "cine", {"FrameIncrementPointer": 0x00181065}, YES),
        (SCB, "frame-of-reference", {GROUPS: [{"PixelMeasuresSequence": [{}]}]}, YES),
        (SCB, "frame-of-reference", {}, NO),
        (SC, "frame-of-reference", {"ImagePositionPatient": [0, 0, 0]}, YES),
        (SC, "frame-of-reference", {}, UNDECIDED),
        (EMR, "mr-pulse-sequence", {"ImageType": ["DERIVED", "PRIMARY", "M", "NONE"]}, NO),
        (EMR, "frame-extraction", {}, NO),
    ],
)
def test_modules(iod, key, values, expected):
    found = standard.iod(iod)
    assert decide_module(found, found.module(key), view(values)).value == expected


@pytest.mark.parametrize(
    ("iod", "key", "values", "expected"),
    [
        (ECT, "pixel-measures", {}, YES),
        (ECT, "frame-voi-lut", {}, NO),
        (ECT, "ct-geometry", {"ImageType": ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]}, YES),
        (ECT, "ct-geometry", {"ImageType": ["DERIVED", "PRIMARY", "VOLUME", "NONE"]}, NO),
        (ECT, "ct-reconstruction", {"ImageType": ["DERIVED", "PRIMARY", "VOLUME", "NONE"]}, NO),
        (ECT, "ct-reconstruction", {"ImageType": ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]}, UNDECIDED),
        (ECT, "derivation-image", {}, UNDECIDED),
        (EMR, "mr-arterial-spin-labeling", {"ImageType": ["DERIVED", "PRIMARY", "ASL", "NONE"]}, YES),
        (EMR, "pixel-value-transformation", {"PhotometricInterpretation": "MONOCHROME2"}, YES),
        (SCB, "plane-position-patient", {GROUPS: [{"PixelMeasuresSequence": [{}]}]}, YES),
        (SCB, "pixel-measures", {GROUPS: [{"PixelMeasuresSequence": [{}]}]}, NO),
    ],
)
def test_macros(iod, key, values, expected):
    found = standard.iod(iod)
    assert decide_macro(found, found.macro(key), view(values)).value == expected


def test_types_without_condition_need_no_view():
    ct = standard.iod(CT)
    nothing = MappingView({})
    assert decide(ct, standard.attribute(ct, "KVP"), nothing) is Decision.REQUIRED
    assert decide(ct, standard.attribute(ct, "SeriesDescription"), nothing) is Decision.NOT_REQUIRED


def test_a_view_of_each_level_is_needed():
    ct = standard.iod(CT)
    inner = standard.attribute(ct, "ProcedureCodeSequence.CodeValue")
    with pytest.raises(ValueError, match="2 levels are needed for a path of 1, not 1"):
        decide(ct, inner, MappingView({}))


@pytest.mark.parametrize(
    "text",
    [
        "Required if contrast media was used.",
        "Required if the Patient is an animal and Patient Species Code Sequence (0010,2202) is not present.",
        "Required if Image Type (0008,0008) Value 1 is ORIGINAL and the moon is full.",
        "Required if A Value (0008,0008) is X or B Value (0008,0009) is present and C Value (0008,0010) is present.",
        "Required for first Item of the sequence.",
        "May be present if Modality (0008,0060) is CT.",
        "Required if Modality (0008,0060) is CT. Shall have the same value in all instances.",
        "Required if Laterality (0020,0060) or Image Laterality (0020,0062) are not present.",
        "",
    ],
)
def test_texts_that_are_not_fully_understood_give_no_rule(text):
    assert parse(text) is None


def test_what_is_forbidden_otherwise_is_forbidden():
    rule = parse("Required if Numeric Value (0040,A30A) is present. Shall not be present otherwise.")
    assert rule.otherwise_forbidden
    ct = standard.iod(CT)
    place = "AcquisitionContextSequence.MeasurementUnitsCodeSequence"
    assert decision(PET, place, {}, {}) == FORBIDDEN
    assert decision(PET, place, {}, {"NumericValue": 4.5}) == YES
    assert ct.at(place) == ()


IODS = st.sampled_from([CT, MR, PET, NM, SC, SCB, PDF, ECT, EMR, EPET])
VALUES = st.sampled_from([UNKNOWN, None, "", "YES", "ORIGINAL", 1, ["DERIVED", "PRIMARY"], 0x00182001])


@settings(max_examples=40, deadline=None)
@given(name=IODS, data=st.data())
def test_no_view_makes_a_decision_fail(name, data):
    iod = standard.iod(name)
    conditional = [row for row in iod.level() if row.type.endswith("C")]
    tags = data.draw(st.lists(st.sampled_from(sorted({row.tag for row in iod.level()})), max_size=12))
    seen = MappingView({tag: data.draw(VALUES) for tag in tags if not has_items(iod, tag)})
    for row in conditional:
        assert isinstance(decide(iod, row, seen), Decision)
    for module in iod.modules:
        assert isinstance(decide_module(iod, module, seen), Decision)


@settings(max_examples=40, deadline=None)
@given(name=IODS, data=st.data())
def test_knowing_more_never_turns_a_decision_around(name, data):
    """What is decided while a value is not known stays so, whatever the value turns out to be."""
    iod = standard.iod(name)
    tags = sorted({row.tag for row in iod.level() if not has_items(iod, row.tag)})
    hidden = data.draw(st.lists(st.sampled_from(tags), min_size=1, max_size=6, unique=True))
    known = {tag: data.draw(VALUES.filter(lambda value: value not in (None, ""))) for tag in hidden}
    before, after = MappingView(dict.fromkeys(hidden, UNKNOWN)), MappingView(known)
    for row in iod.level():
        early = decide(iod, row, before)
        if early is not Decision.UNDECIDED:
            assert decide(iod, row, after) is early, str(row)


def has_items(iod, tag):
    return any(row.has_items for row in iod.at(tag))
