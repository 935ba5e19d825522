"""The dictionary's VRs, and what is said of others."""

from __future__ import annotations

import pytest
from pydicom.datadict import DicomDictionary
from pydicom.valuerep import VR

from dicomwright.blueprint.tags import PrivateTag
from dicomwright.blueprint.vr import ALL_VRS, check_vr, expected_vrs


@pytest.mark.parametrize(
    ("tag", "vrs"),
    [
        ("PatientName", ("PN",)),
        ("SmallestImagePixelValue", ("US", "SS")),
        ("PixelData", ("OB", "OW")),
        ("LUTData", ("US", "OW")),
        (0x60020010, ("US",)),
        (0x00080000, ("UL",)),
        (0x00090010, ("LO",)),
        (0x00091001, None),
        (0x00081FFF, None),
        (PrivateTag(0x0009, "ACME", 1), None),
        (0xFFFEE000, ()),
    ],
)
def test_expected_vrs(tag, vrs):
    assert expected_vrs(tag) == vrs


def test_there_are_34_vrs():
    assert len(ALL_VRS) == 34
    assert {"UN", "OV", "SV", "UV"} < ALL_VRS


def test_every_tag_of_the_dictionary_takes_its_own_vrs_and_no_other():
    for tag in DicomDictionary:
        for vr in ALL_VRS:
            expected = expected_vrs(tag)
            assert (check_vr(tag, vr) is None) == (vr in expected)


@pytest.mark.parametrize(
    ("tag", "vr", "message", "hint"),
    [
        ("SeriesDescription", "SH", "SeriesDescription (0008,103E) has VR LO, not SH (PS3.6)", "write LO"),
        (
            "SmallestImagePixelValue",
            "IS",
            "SmallestImagePixelValue (0028,0106) has VR US or SS, not IS (PS3.6)",
            "write US or SS",
        ),
        (
            "PixelData",
            "OB or OW",
            "PixelData (7FE0,0010): 'OB or OW' is not a VR (PS3.5 §6.2)",
            "write OB or OW",
        ),
        ("SeriesDescription", "UN", "SeriesDescription (0008,103E) has VR LO, not UN (PS3.6)", "write LO"),
        (0x00091001, "lo", "(0009,1001): 'lo' is not a VR (PS3.5 §6.2)", "did you mean LO?"),
        (0x00091001, "", "(0009,1001): '' is not a VR (PS3.5 §6.2)", "write two capital letters, such as LO"),
        ("ACME:(0009,xx01)", "XX", "ACME:(0009,xx01): 'XX' is not a VR (PS3.5 §6.2)", "write two capital"),
        (
            0xFFFEE000,
            "UN",
            "(FFFE,E000) marks items; it is not an element (PS3.5 §7.5)",
            "leave it to the writer",
        ),
    ],
)
def test_a_wrong_vr_is_told(tag, vr, message, hint):
    problem = check_vr(tag, vr)
    assert problem.message.endswith(message)
    assert problem.hint.startswith(hint)
    assert problem.kind == "wrong-vr"


@pytest.mark.parametrize("vr", [None, 5, b"LO", ["LO"]])
def test_a_vr_that_is_no_text_is_told(vr):
    assert "is not a VR" in check_vr("PatientName", vr).message


def test_pydicoms_vr_names_count():
    assert check_vr("PatientName", VR.PN) is None


def test_any_vr_may_stand_at_a_private_tag():
    assert all(check_vr(PrivateTag(0x0009, "ACME", 1), vr) is None for vr in ALL_VRS)
