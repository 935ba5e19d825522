"""Transfer syntaxes that leave the pixels as they are, and how a codec is found."""

from __future__ import annotations

import io

import numpy as np
import pydicom
import pytest

from dicomwright import Blueprint, DicomFactory, PrivateTag, SequenceElement, StaticElement, Volume
from dicomwright.errors import BlueprintError, PluginError
from dicomwright.plugins import load

NATIVE = {
    "explicit-le": "1.2.840.10008.1.2.1",
    "implicit-le": "1.2.840.10008.1.2",
    "deflated": "1.2.840.10008.1.2.1.99",
}


@pytest.fixture
def build(make_series):
    """Return a function that builds a derived series with sequences in sequences, text and odd numbers of bytes."""

    def of(name, rows=5, parents=True, **given):
        inner = SequenceElement(
            "PurposeOfReferenceCodeSequence", [Blueprint([_text("CodeMeaning", "Größe")])]
        )
        blueprint = Blueprint.load("ct-image") + Blueprint(
            [
                SequenceElement(PrivateTag(0x0011, "WORKBENCH", 1), [Blueprint([inner]), Blueprint()]),
                _text("SeriesDescription", "Müller"),
                StaticElement("PixelPaddingValue", "SS", -7),
            ],
        )
        voxels = np.arange(3 * rows * 7, dtype=np.int16).reshape(3, rows, 7) - 30
        source = voxels if parents else Volume(voxels, np.diag([5.0, 2.0, 1.5, 1.0])[[2, 1, 0, 3]])
        series = make_series(shape=(3, rows, 7), sequences=True, private=True) if parents else None
        factory = DicomFactory(plugin_set=load(enabled=False))
        return factory.build(source, blueprint, series, transfer_syntax=name, uids="derived", **given)

    return of


def _text(keyword, text):
    return StaticElement(keyword, "LO", text)


@pytest.mark.parametrize("name", NATIVE)
@pytest.mark.parametrize("fill", ["discard", "copy"])
def test_files_are_as_pydicom_writes_them(build, tmp_path, name, fill):
    from dicomwright import FillingStrategy

    series = build(name, filling_strategy=FillingStrategy(fill), keep_private=fill == "copy")
    files = series.write(tmp_path / "out", jobs=2)
    for dataset, file in zip(series, files, strict=True):
        stream = io.BytesIO()
        pydicom.dcmwrite(stream, dataset, enforce_file_format=True)
        assert dataset.file_meta.TransferSyntaxUID == NATIVE[name]
        assert stream.getvalue() == file.read_bytes()


@pytest.mark.parametrize("name", NATIVE)
def test_dcmtk_reads_the_same(build, tmp_path, name, run_dcmtk, dciodvfy):
    series = build(name, parents=False)
    (file, *_) = series.write(tmp_path / "out")
    run_dcmtk("dcmconv", "+te", file, tmp_path / "explicit.dcm")
    dataset = pydicom.dcmread(tmp_path / "explicit.dcm")
    np.testing.assert_array_equal(dataset.pixel_array, series[0].pixel_array)
    assert dataset.SeriesDescription == "Müller"
    assert dciodvfy(tmp_path / "explicit.dcm") == []


def test_uids_do_not_depend_on_it(build):
    assert len({build(name)[0].SOPInstanceUID for name in ("", *NATIVE, *NATIVE.values())}) == 1


def test_changed_datasets_are_written_in_it(build, tmp_path):
    series = build("deflated")
    series[1].SeriesDescription = "changed"
    files = series.write(tmp_path / "out")
    dataset = pydicom.dcmread(files[1])
    assert (dataset.SeriesDescription, dataset.file_meta.TransferSyntaxUID) == ("changed", NATIVE["deflated"])


def test_the_result_names_the_codec(build):
    assert build("deflated").result["codec"]["name"] == "deflated"
    assert build("").result["codec"] is None


def test_compressed_syntaxes_name_their_distribution(build):
    with pytest.raises(
        PluginError, match=r'codec "rle" .*dicomwright-codecs'
    ):  # not installed, or switched off
        build("rle")
    with pytest.raises(PluginError, match=r"writes the transfer syntax 1.2.840.10008.1.2.5 \(RLE Lossless\)"):
        build("1.2.840.10008.1.2.5")


def test_an_encoding_of_its_own_stays():
    from dicomwright.encoders.api import Encoding
    from dicomwright.transfer_syntax import transfer

    encoding = Encoding(1, Blueprint(), transfer_syntax_uid="1.2.840.10008.1.2.4.50")
    with pytest.raises(
        BlueprintError, match=r"the encoder writes JPEG Baseline .* which is not changed to deflated"
    ):
        transfer("deflated", {}, encoding, [], load(enabled=False))
    assert transfer("", {}, encoding, [], load(enabled=False)).uid == "1.2.840.10008.1.2.4.50"
