"""What the filling strategy COPY takes, and what it leaves out by which rule."""

from __future__ import annotations

import pytest
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from dicomwright.parents import ParentSeries
from dicomwright.parents.filling import FILLING_RULES, fill_from


def keywords(elements):
    return {element.keyword for element in elements}


@pytest.fixture
def parent(slices):
    images = slices(
        Modality="MR", StudyDescription="Head", KVP="120", BurnedInAnnotation="YES", PatientWeight=70
    )
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "1", "99X", "Ærlig"
    code.private_block(0x0009, "ACME", create=True).add_new(0x01, "LO", "CANARY")
    for number, image in enumerate(images):
        image.AcquisitionTime = f"12000{number}"
        image.ProcedureCodeSequence = [code]
        image.private_block(0x0011, "ACME", create=True).add_new(0x01, "LO", "CANARY")
    return ParentSeries(images)


def test_constants_and_varying(parent):
    filling = fill_from(parent, named={Tag("PatientWeight")})
    assert keywords(filling.constants) == {
        *("Modality", "StudyDescription", "PatientName", "PatientID", "KVP", "StudyInstanceUID"),
        *("ProcedureCodeSequence", "BurnedInAnnotation"),
    }
    assert [element.tag for element in filling.constants] == sorted(
        element.tag for element in filling.constants
    )
    assert filling.varying == (Tag("AcquisitionTime"),)
    constants, varying, left_out = filling
    assert (constants, varying, left_out) == (filling.constants, filling.varying, filling.left_out)


def test_private_elements_come_only_when_asked_for(parent):
    def canaries(filling):
        holder = Dataset()
        for element in filling.constants:
            holder.add(element)
        return str(holder).count("CANARY")

    assert canaries(fill_from(parent, named=())) == 0
    kept = fill_from(parent, (), keep_private=True)
    assert canaries(kept) == 2
    assert {0x00110010, 0x00111001} <= {element.tag for element in kept.constants}


@pytest.mark.parametrize(
    ("tag", "rule"),
    [
        (0x00080005, "character-set"),
        (0x00080008, "derivation"),
        (0x00080018, "instance-identity"),
        (0x00080016, "instance-identity"),
        (0x00080023, "content-time"),
        (0x0020000E, "series-identity"),
        (0x00200013, "instance-identity"),
        (0x00082112, "derivation"),
        (0x00081140, "derivation"),
        (0x00200032, "image-plane"),
        (0x00201041, "image-plane"),
        (0x00280030, "image-plane"),
        (0x00180050, "image-plane"),
        (0x00280010, "pixel-description"),
        (0x00280101, "pixel-description"),
        (0x00281201, "pixel-description"),
        (0x00280106, "smallest-largest"),
        (0x00280109, "smallest-largest"),
        (0x00280120, "pixel-padding"),
        (0x00281052, "rescale"),
        (0x00281053, "rescale"),
        (0x00281050, "window"),
        (0x00283010, "window"),
        (0x52009230, "multi-frame"),
        (0x60003000, "overlays"),
        (0x601E0010, "overlays"),
        (0x50000005, "curves"),
        (0x00880200, "icon"),
        (0x7FE00010, "pixel-data"),
        (0xFFFAFFFA, "digital-signatures"),
        (0xFFFCFFFC, "padding"),
        (0x00020010, "file-meta"),
        (0x00100000, "group-length"),
        (0x00420011, "document"),
        (0x00540081, "counts"),
        (0x00091001, "private"),
    ],
)
def test_rules(tag, rule):
    assert next(found.name for found in FILLING_RULES if found.matches(tag)) == rule


@pytest.mark.parametrize(
    "keyword", ["PatientName", "StudyDate", "BurnedInAnnotation", "ProtocolName", "EchoTime"]
)
def test_what_describes_patient_study_and_acquisition_is_free(keyword):
    assert not [rule.name for rule in FILLING_RULES if rule.matches(Tag(keyword))]


def test_rules_are_named_and_documented():
    assert len({rule.name for rule in FILLING_RULES}) == len(FILLING_RULES)
    assert all(rule.summary.endswith(".") and rule.source for rule in FILLING_RULES)


def test_what_is_left_out_is_listed(parent):
    left_out = {entry.keyword or hex(entry.tag): entry.rule for entry in fill_from(parent, named=()).left_out}
    assert left_out["Rows"] == "pixel-description"
    assert left_out["SOPInstanceUID"] == "instance-identity"
    assert left_out["0x111001"] == "private"
    assert "PatientName" not in left_out


def test_lossy_history_stays(slices):
    images = slices(places=range(2), LossyImageCompressionRatio=10, LossyImageCompressionMethod="ISO_10918_1")
    images[1].LossyImageCompression = "01"
    images[0].LossyImageCompression = "00"
    filling = fill_from(ParentSeries(images), named=())
    found = {element.keyword: element.value for element in filling.constants}
    assert found["LossyImageCompression"] == "01"
    assert found["LossyImageCompressionRatio"] == 10
    assert found["LossyImageCompressionMethod"] == "ISO_10918_1"
    assert Tag("LossyImageCompression") not in filling.varying


def test_lossy_ratios_that_differ_are_left_out(slices):
    images = slices(places=range(2), LossyImageCompression="01")
    for ratio, image in enumerate(images, start=9):
        image.LossyImageCompressionRatio = ratio
    filling = fill_from(ParentSeries(images), named=())
    assert [element.value for element in filling.constants if element.keyword == "LossyImageCompression"] == [
        "01"
    ]
    assert "lossy-compression" in {entry.rule for entry in filling.left_out}
    assert filling.varying == ()


def test_no_loss_is_copied_as_such(slices):
    series = ParentSeries(slices(LossyImageCompression="00", LossyImageCompressionRatio=1))
    assert not series.lossy
    found = {element.keyword: element.value for element in fill_from(series, named=()).constants}
    assert found["LossyImageCompression"] == "00"
    assert "LossyImageCompressionRatio" not in found


def test_a_lossy_encoding_counts_although_nothing_is_said(slices, write, tmp_path):
    path = write(slices(places=[0])[0], tmp_path / "a.dcm")
    series = ParentSeries.read(path)
    assert not series.lossy
    series.first.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.50"
    assert series.lossy
    found = {element.keyword: element.value for element in fill_from(series, named=()).constants}
    assert found["LossyImageCompression"] == "01"
    named = {Tag("LossyImageCompression")}
    assert "LossyImageCompression" not in keywords(fill_from(series, named=named).constants)


def test_what_cannot_be_decoded_is_left_out(slices, write, tmp_path):
    path = write(slices(places=[0])[0], tmp_path / "a.dcm")
    path.write_bytes(path.read_bytes().replace(b"ISO_IR 100", b"ISO_IR 192"))
    filling = fill_from(ParentSeries.read(path), named=())
    assert ("PatientName", "undecodable") in {(entry.keyword, entry.rule) for entry in filling.left_out}
