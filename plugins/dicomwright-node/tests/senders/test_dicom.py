"""What is proposed, what is sent, and in which form."""

from __future__ import annotations

import io
import itertools
import warnings
import zlib

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    RLELossless,
    generate_uid,
)
from pynetdicom import AllStoragePresentationContexts
from pynetdicom.service_class import StorageServiceClass
from pynetdicom.sop_class import CTImageStorage, Verification, uid_to_service_class

from dicomwright.errors import DeliveryError
from dicomwright_node.senders.dicom import DicomSender
from dicomwright_node.senders.dicom_address import DicomAddress
from dicomwright_node.senders.transcode import LARGEST, TranscodeError, transcode

LE, IMPLICIT, BE = map(str, (ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian))
CT = str(CTImageStorage)


def dataset_bytes(path):
    """Return the bytes behind the file meta information."""
    data = path.read_bytes()
    length = int.from_bytes(data[140:144], "little")
    return data[144 + length :]


def read(received):
    """Return the dataset of what was received."""
    meta = pydicom.dataset.FileMetaDataset()
    meta.TransferSyntaxUID = received.syntax
    buffer = pydicom.filebase.DicomBytesIO()
    dataset = Dataset()
    dataset.file_meta = meta
    pydicom.dcmwrite(buffer, dataset, enforce_file_format=False)
    return pydicom.dcmread(pydicom.filebase.DicomBytesIO(buffer.getvalue() + received.data), force=True)


@pytest.fixture
def write(tmp_path, make_series, write_series):
    """Return `write(name, syntax, **more) -> folder` with a series of three slices."""

    def make(name, syntax=LE, **more):
        write_series(make_series(shape=(3, 6, 4), transfer_syntax=syntax, **more), tmp_path / name)
        return tmp_path / name

    return make


def test_exactly_the_pairs_of_the_files_are_proposed(node, send, write):
    peer = node(contexts={CTImageStorage: [LE, IMPLICIT, str(RLELossless)]})
    write("in/a", LE, seed=1)
    write("in/b", str(RLELossless), seed=2)
    report = send(peer.url, files=write("in/c", LE, seed=3, modality="CT").parent)
    assert report.complete
    assert peer.associations == [[(CT, [LE]), (CT, [str(RLELossless)])]]


def test_bytes_are_sent_as_they_are(node, send, series):
    peer = node()
    send(peer.url)
    assert [one.data for one in peer.received] == [dataset_bytes(file) for file in sorted(series.iterdir())]


def test_compressed_files_are_sent_as_they_are(node, send, write):
    folder = write("rle", str(RLELossless))
    peer = node(contexts={CTImageStorage: [LE, str(RLELossless)]})
    assert send(peer.url, files=folder).complete
    assert [one.data for one in peer.received] == [dataset_bytes(file) for file in sorted(folder.iterdir())]
    assert {one.syntax for one in peer.received} == {str(RLELossless)}


@pytest.mark.parametrize(
    ("own", "taken"),
    [
        (str(RLELossless), [LE]),
        (str(RLELossless), [IMPLICIT]),
        (LE, [IMPLICIT]),
        (IMPLICIT, [LE]),
        (BE, [LE]),
        (BE, [IMPLICIT]),
        (str(DeflatedExplicitVRLittleEndian), [LE]),
    ],
    ids=lambda value: "+".join(
        pydicom.uid.UID(uid).keyword for uid in ([value] if isinstance(value, str) else value)
    ),
)
def test_what_is_not_taken_is_sent_without_loss(node, send, write, own, taken):
    folder = write("in", LE if own == DeflatedExplicitVRLittleEndian else own, sequences=True)
    if own == DeflatedExplicitVRLittleEndian:
        for file in folder.iterdir():
            deflated = pydicom.dcmread(file)
            deflated.file_meta.TransferSyntaxUID = own
            deflated.save_as(file)
    peer = node(contexts={CTImageStorage: taken})
    assert send(peer.url, files=folder).complete
    assert [len(one) for one in peer.associations] == [1, 2 if own not in {LE, IMPLICIT} else 1]
    for file, received in zip(sorted(folder.iterdir()), peer.received, strict=True):
        before, after = pydicom.dcmread(file), read(received)
        assert received.syntax == taken[0]
        assert after.SOPInstanceUID == before.SOPInstanceUID
        assert np.array_equal(after.pixel_array, before.pixel_array)
        for dataset in (before, after):
            del dataset.PixelData
        assert after.to_json_dict() == before.to_json_dict()


def test_files_stay_as_they_are_on_disk(node, send, write):
    folder = write("in", str(RLELossless))
    before = {file: file.read_bytes() for file in folder.iterdir()}
    assert send(node(contexts={CTImageStorage: [LE]}).url, files=folder).complete
    assert {file: file.read_bytes() for file in folder.iterdir()} == before


def test_the_other_form_has_no_name_on_disk(node, send, write, tmp_path, monkeypatch):
    folder, scratch = write("in", str(RLELossless)), tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    seen = []

    def taken(*_):
        seen.append(list(scratch.iterdir()))  # what kill -9 would leave
        return 0x0000

    assert send(node(taken, contexts={CTImageStorage: [LE]}).url, files=folder).complete
    assert seen == [[]] * 3


def test_deflated_files_are_sent_with_an_even_length(node, send, tmp_path, make_series):
    [dataset] = make_series(shape=(1, 6, 4))
    dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    (tmp_path / "in").mkdir()
    file = tmp_path / "in" / "1"
    for count in range(50):  # until the last byte is the one that makes it even; dcmtk leaves it out
        dataset.ImageComments = "x" * count + "".join(map(str, range(count)))
        dataset.save_as(file, enforce_file_format=True)
        stream = dataset_bytes(file)
        inflating = zlib.decompressobj(-zlib.MAX_WBITS)
        inflating.decompress(stream)
        if inflating.unused_data == b"\0":
            break
    file.write_bytes(file.read_bytes()[:-1])
    peer = node(contexts={CTImageStorage: [DeflatedExplicitVRLittleEndian]})
    assert send(peer.url, files=file.parent).complete
    assert peer.received[0].data == dataset_bytes(file) + b"\0"


def test_transcoding_can_be_switched_off(node, send, write, said):
    peer = node(contexts={CTImageStorage: [LE]})
    report = send(peer.url, files=write("in", str(RLELossless)), transcode="no")
    assert said(report) == {"refused": 3}
    assert report.rows[0].message.endswith("in RLE Lossless, and transcoding is switched off")
    assert len(peer.associations) == 1


def test_what_cannot_be_decoded_is_refused_and_the_rest_is_sent(node, send, write, said):
    folder = write("in", str(RLELossless))
    first = pydicom.dcmread(folder / "IM00000")
    first.file_meta.TransferSyntaxUID = JPEG2000Lossless  # its pixels are none
    first.save_as(folder / "IM00000")
    report = send(node(contexts={CTImageStorage: [LE]}).url, files=folder)
    assert said(report) == {"stored": 2, "refused": 1}
    assert (
        "JPEG 2000 Image Compression (Lossless Only), and it cannot be converted (" in report.rows[0].message
    )


def test_images_that_would_not_fit_the_memory_are_not_decoded(write):
    file = write("in", str(RLELossless)) / "IM00000"
    dataset = pydicom.dcmread(file)
    dataset.Rows = dataset.Columns = 65_000
    dataset.save_as(file)
    with pytest.raises(
        TranscodeError, match=rf"its pixels take 8,450,000,000 bytes, and at most {LARGEST:,}"
    ):
        transcode(file, LE, io.BytesIO())


def test_unknown_bytes_of_another_order_are_refused(write):
    file = write("in", BE) / "IM00000"
    dataset = pydicom.dcmread(file)
    dataset.add_new(0x00091001, "UN", b"\1\2\3\4")
    dataset.save_as(file)
    with pytest.raises(TranscodeError, match=r"\(0009,1001\) has no known VR"):
        transcode(file, LE, io.BytesIO())


KNOWN = [one.abstract_syntax for one in AllStoragePresentationContexts]
CLASSES = [str(uid) for uid in KNOWN if uid_to_service_class(uid) is StorageServiceClass][:100]


@pytest.fixture
def many_pairs(tmp_path):
    """Return a folder with one small file for each of 100 storage classes in each of two transfer syntaxes."""
    (tmp_path / "many").mkdir()
    for number, (syntax, uid) in enumerate(itertools.product([LE, IMPLICIT], CLASSES)):
        dataset = Dataset()
        dataset.SOPClassUID = uid
        dataset.SOPInstanceUID = generate_uid()
        dataset.PatientID = "P"
        dataset.file_meta = pydicom.dataset.FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = syntax
        dataset.save_as(tmp_path / "many" / f"{number:03}", enforce_file_format=True)
    return tmp_path / "many"


def test_more_contexts_than_an_association_has(node, send, many_pairs, said):
    peer = node(contexts={uid: [LE if number < 60 else IMPLICIT] for number, uid in enumerate(CLASSES[:80])})
    report = send(peer.url, files=many_pairs)
    assert said(report) == {"stored": 160, "refused": 40}
    assert [len(one) for one in peer.associations] == [127, 73, 120]  # as they are; then the others of 120
    assert all(len(syntaxes) == 1 for one in peer.associations for _, syntaxes in one)
    pairs = [(uid, *syntaxes) for one in peer.associations[:2] for uid, syntaxes in one]
    assert sorted(pairs) == sorted(itertools.product(CLASSES, [LE, IMPLICIT]))


def test_an_echo_before(node, send):
    peer = node()
    assert send(peer.url, echo="yes").complete
    assert peer.echoes == 1
    assert peer.associations[0][0] == (str(Verification), [IMPLICIT])


def test_no_echo_unless_it_is_wanted(node, send):
    peer = node(contexts={CTImageStorage: [LE]})
    assert send(peer.url, echo="yes").complete  # it takes no question, and the files
    assert peer.echoes == 0
    other = node()
    send(other.url)
    assert (other.echoes, other.associations) == (0, [[(CT, [LE])]])


def test_our_name(node, send):
    names = []
    peer = node(lambda _, event: names.append(event.assoc.requestor.ae_title) or 0)
    send(peer.url, calling_aet="OUR NODE")
    assert set(names) == {"OUR NODE"}


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("dicom://127.0.0.1:104", "it has no AE title before @"),
        ("dicom:PACS", "it has no host"),
        ("dicom://PACS@pacs..example", "its host is no name or number"),
        ("dicom://A@host:0", "its port is 0"),
        ("dicom://A@host/path", "/path says nothing here"),
        ("dicom://A%5CB@host", "its AE title is not 1 to 16 characters of ASCII without a backslash"),
        ("dicom://AAAAAAAAAAAAAAAAA@host", "its AE title is not 1 to 16 characters"),
        ("dicom://%20@host", "its AE title is not 1 to 16 characters"),
    ],
)
def test_addresses_that_are_wrong(send, url, text):
    with pytest.raises(DeliveryError) as refused:
        send(url)
    assert f"destination {url}: {text}" in str(refused.value)
    assert "write it such as dicom://PACS@host:104" in str(refused.value)


def test_addresses():
    assert DicomAddress.parse("dicom://MY%20PACS@[::1]") == ("MY PACS", "::1", 104, False)
    assert DicomAddress.parse("dicom+tls://A@h") == ("A", "h", 2762, True)


def test_all_options_that_are_wrong_are_told_at_once(tmp_path):
    wrong = {
        "calling-aet": "A\\B",
        "connect-timeout": "soon",
        "acse-timeout": "0",
        "dimse-timeout": "-1",
        "network-timeout": "nan",
        "echo": "maybe",
        "transcode": "yes",
        "commitment": "yes",
        "commitment-listen": "nowhere",
        "commitment-timeout": "1e9",
        "ca": str(tmp_path / "none.pem"),
    }
    with pytest.raises(DeliveryError) as refused:
        DicomSender().check("dicom://A@h", wrong)
    text = str(refused.value)
    assert text.startswith("9 problems")
    for part in (
        "option calling-aet is 'A\\\\B'",
        "option connect-timeout is 'soon'; write a number above 0",
        "option echo is 'maybe'; write yes or no",
        "option commitment-listen is no HOST:PORT",
        "option ca is of no use without TLS; write dicom+tls://A@h",
    ):
        assert part in text


def test_certificates_that_are_not_there(tmp_path):
    known = {f"{name}-timeout": "1" for name in ("connect", "acse", "dimse", "network", "commitment")}
    with pytest.raises(DeliveryError, match=r"option ca: .*none\.pem is no file that can be read"):
        DicomSender().check("dicom+tls://A@h", known | {"calling-aet": "A", "ca": str(tmp_path / "none.pem")})


def test_no_warning_of_the_library_reaches_the_user(node, send):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert send(node().url).complete
