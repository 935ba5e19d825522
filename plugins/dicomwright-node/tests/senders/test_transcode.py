"""What depends on the compression is not left in an instance that is compressed no more."""

from __future__ import annotations

import io

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian, RLELossless

from dicomwright_node.senders.transcode import TranscodeError, transcode

LE, IMPLICIT = str(ExplicitVRLittleEndian), str(ImplicitVRLittleEndian)
COLOURS = np.random.default_rng(3).integers(0, 256, (6, 4, 3), np.uint8)


def picture(pixels=COLOURS, interpretation="RGB"):
    """Return a dataset of a picture, in RLE."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.Rows, dataset.Columns = pixels.shape[:2]
    dataset.SamplesPerPixel = 3 if pixels.ndim == 3 else 1
    if pixels.ndim == 3:
        dataset.PlanarConfiguration = 0
    dataset.PhotometricInterpretation = interpretation
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit, dataset.PixelRepresentation = 7, 0
    dataset.PixelData = pixels.tobytes()
    dataset["PixelData"].VR = "OB"
    dataset.compress(RLELossless, generate_instance_uid=False, encapsulate_ext=True)
    return dataset


@pytest.fixture
def transcoded(tmp_path, make_series):
    """Return `transcoded(elements, syntax) -> dataset`: a CT with these elements, read again."""

    def run(elements, syntax):
        [dataset] = make_series(shape=(1, 6, 4), transfer_syntax=str(RLELossless))
        dataset.update(elements)
        dataset.save_as(tmp_path / "in.dcm", enforce_file_format=True)
        target = io.BytesIO()
        transcode(tmp_path / "in.dcm", syntax, target)
        return pydicom.dcmread(target)

    return run


@pytest.mark.parametrize("syntax", [LE, IMPLICIT])
def test_colours_are_said_to_be_as_many_as_there_are(transcoded, syntax):
    elements = picture(interpretation="YBR_FULL")
    elements.PhotometricInterpretation = "YBR_FULL_422"  # as in JPEG, where half of the colours are stored
    result = transcoded(elements, syntax)
    assert result.PhotometricInterpretation == "YBR_FULL"
    assert result.PixelData == COLOURS.tobytes()


def test_tables_of_frames_are_left_out(transcoded):
    elements = picture()
    assert "ExtendedOffsetTable" in elements
    result = transcoded(elements, LE)
    assert [element.keyword for element in result if element.tag.group == 0x7FE0] == ["PixelData"]
    assert result.file_meta.TransferSyntaxUID == LE
    assert result.file_meta.MediaStorageSOPInstanceUID == result.SOPInstanceUID


@pytest.mark.parametrize("syntax", [LE, IMPLICIT])
def test_icons_are_decompressed_too(transcoded, syntax):
    icons = Dataset()
    icons.IconImageSequence = [picture(COLOURS[..., 0], "MONOCHROME2")]
    result = transcoded(icons, syntax)
    icon = result.IconImageSequence[0]
    assert not icon["PixelData"].is_undefined_length
    assert icon.PixelData == COLOURS[..., 0].tobytes()
    assert "ExtendedOffsetTable" not in icon


def test_where_decoders_are_found_is_told_of_images_only(tmp_path, make_series):
    [dataset] = make_series(shape=(1, 6, 4), transfer_syntax=str(ExplicitVRBigEndian))
    dataset.add_new(0x00091001, "UN", b"\1\2\3\4")
    dataset.save_as(tmp_path / "in.dcm", enforce_file_format=True)
    with pytest.raises(TranscodeError, match=r"cannot be turned around$"):
        transcode(tmp_path / "in.dcm", LE, io.BytesIO())
