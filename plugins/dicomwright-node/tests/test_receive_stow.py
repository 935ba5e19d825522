"""STOW-RS over HTTP, with dicomweb-client and with bytes of our own."""

from __future__ import annotations

import gzip
import io
import json
import socket
from http.client import HTTPConnection
from xml.etree import ElementTree as ET

import pydicom
import pytest
from dicomweb_client import DICOMwebClient

from dicomwright_node.config import ConfigError, HttpConfig, LimitsConfig, NodeConfig, StowConfig
from dicomwright_node.http_server import HttpServer
from workbench.nodes import ct_instance

TYPE = 'multipart/related; type="application/dicom"; boundary="b o"'


@pytest.fixture
def make_stow(make_receiver):
    servers = []

    def make(limits=None, **stow):
        receiver = make_receiver(limits=limits)
        config = NodeConfig(http=HttpConfig(port=0), stow=StowConfig(**stow))
        server = HttpServer(config, receiver.intake, [])
        servers.append(server)
        receiver.http = server.start()
        return receiver

    yield make
    for server in servers:
        server.stop()
        server.join()


@pytest.fixture
def stow(make_stow):
    return make_stow()


def part10(dataset):
    file = io.BytesIO()
    dataset.save_as(file, enforce_file_format=True)
    return file.getvalue()


def body(*parts, kind=b"application/dicom"):
    return (
        b"".join(b"--b o\r\nContent-Type: " + kind + b"\r\n\r\n" + part + b"\r\n" for part in parts)
        + b"--b o--\r\n"
    )


def post(receiver, data, path="/dicom-web/studies", **headers):
    """Return status and body of a POST."""
    connection = HTTPConnection("127.0.0.1", receiver.http, timeout=20)
    given = {"Content-Type": TYPE} | {name.replace("_", "-"): text for name, text in headers.items()}
    connection.request("POST", path, data, given, encode_chunked="Transfer-Encoding" in given)
    response = connection.getresponse()
    answer = response.status, response.read().decode()
    connection.close()
    return answer


def rows(receiver):
    return receiver.store.database.read("SELECT * FROM instances ORDER BY id")


def files(receiver):
    kept = receiver.store.files
    return {kept.relative(path) for path in kept.root.glob("instances/*/*")}


def test_dicomweb_client_stores_and_understands_the_answer(stow):
    client = DICOMwebClient(f"http://127.0.0.1:{stow.http}/dicom-web")
    answer = client.store_instances([ct_instance(1), ct_instance(2)])
    assert [item.ReferencedSOPInstanceUID for item in answer.ReferencedSOPSequence] == [
        "2.25.77.1",
        "2.25.77.2",
    ]
    client._session.close()
    assert "FailedSOPSequence" not in answer
    assert [row["via"] for row in rows(stow)] == ["stow", "stow"]
    kept = pydicom.dcmread(stow.store.files.path(rows(stow)[1]["path"]))
    assert kept == ct_instance(2)


def test_the_answer_as_json(stow):
    status, text = post(stow, body(part10(ct_instance())))
    assert status == 200
    assert json.loads(text) == {
        "00081190": {"vr": "UR"},
        "00081199": {
            "vr": "SQ",
            "Value": [
                {
                    "00081150": {"vr": "UI", "Value": ["1.2.840.10008.5.1.4.1.1.2"]},
                    "00081155": {"vr": "UI", "Value": ["2.25.77.1"]},
                    "00081190": {"vr": "UR"},
                }
            ],
        },
    }


def test_the_answer_as_xml(stow):
    status, text = post(stow, body(part10(ct_instance())), Accept="application/dicom+xml")
    assert status == 200
    root = ET.fromstring(text)
    assert root.tag == "NativeDicomModel"
    found = root.find(
        "DicomAttribute[@tag='00081199']/Item/DicomAttribute[@keyword='ReferencedSOPInstanceUID']/Value"
    )
    assert found.text == "2.25.77.1"


def test_a_part_of_them_is_stored(stow):
    good, cut, other = (
        part10(ct_instance(1)),
        part10(ct_instance(2))[:-60],
        part10(ct_instance(1, PatientName="X")),
    )
    status, text = post(stow, body(good, cut, b"no DICOM", other))
    assert status == 202
    answer = json.loads(text)
    (failed,) = answer["00081198"]["Value"]
    assert failed["00081155"]["Value"] == ["2.25.77.2"]
    assert failed["00081197"]["Value"] == [0xC000]
    (unnamed,) = answer["0008119A"]["Value"]
    assert unnamed == {"00081197": {"vr": "US", "Value": [0xC000]}}
    first, warned = answer["00081199"]["Value"]
    assert "00081196" not in first
    assert warned["00081196"]["Value"] == [0xB000]
    assert files(stow) == {row["path"] for row in rows(stow)}
    assert len(rows(stow)) == 1


def test_nothing_is_stored(stow):
    status, text = post(stow, body(b"no DICOM", part10(ct_instance())[:300]))
    assert status == 409
    assert "00081199" not in json.loads(text)
    assert files(stow) == set()


def test_the_study_of_the_path(stow):
    assert post(stow, body(part10(ct_instance())), "/dicom-web/studies/2.25.77.0")[0] == 200
    status, text = post(stow, body(part10(ct_instance(2))), "/dicom-web/studies/2.25.1")
    assert status == 409
    assert json.loads(text)["00081198"]["Value"][0]["00081197"]["Value"] == [0xA900]
    assert post(stow, body(part10(ct_instance(2))), "/dicom-web/studies/..%2f..%2fx")[0] in {400, 404}
    assert post(stow, body(part10(ct_instance(2))), "/dicom-web/studies/abc") == (
        400,
        "the study of the path is not a UID\n",
    )


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64])
def test_bodies_that_come_in_pieces(stow, size):
    data = (
        b"preamble\r\n"
        + body(part10(ct_instance(rows=4, columns=3)), part10(ct_instance(2, rows=4, columns=3)))
        + b"epilogue"
    )
    pieces = (data[at : at + size] for at in range(0, len(data), size))
    assert post(stow, pieces, Transfer_Encoding="chunked")[0] == 200
    assert len(rows(stow)) == 2


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("application/dicom", 415),
        ("multipart/form-data; boundary=x", 415),
        ('multipart/related; type="application/dicom+json"; boundary=x', 415),
        ('multipart/related; type="application/dicom"', 400),
        ('multipart/related; type="application/dicom"; boundary="' + "x" * 71 + '"', 400),
        ('multipart/related; type="application/dicom"; boundary="\u00e4"', 400),
        ("", 415),
    ],
)
def test_what_is_no_stow_request(stow, kind, status):
    assert post(stow, body(part10(ct_instance())), Content_Type=kind.encode("latin-1"))[0] == status
    assert files(stow) == set()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "the boundary that the Content-Type names is not in the body"),
        (
            b"--other\r\n\r\nxyz\r\n--other--\r\n",
            "the boundary that the Content-Type names is not in the body",
        ),
        (b"--b o--\r\n", "the body has no parts"),
        (b"--b o\r\nContent-Type: application/dicom\r\n\r\nxyz", "the body is cut off"),
        (b"--b o junk\r\n\r\nxyz\r\n--b o--", "a delimiter of the body is damaged"),
        (b"--b o" + b" " * 500 + b"\r\n\r\nxyz\r\n--b o--", "a delimiter of the body is damaged"),
        (b"--b o\r\n" + b"X: y\r\n" * 5000, "the headers of a part are too long"),
    ],
)
def test_damaged_bodies(stow, data, message):
    status, text = post(stow, data)
    if status == 409:  # a very long delimiter that still is one
        return
    assert (status, text) == (400, f"{message}\n")
    assert files(stow) == set()


def test_a_compressed_body_is_told_as_such(stow):
    status, answer = post(stow, gzip.compress(body(b"x")), **{"Content-Encoding": "gzip"})
    assert (status, answer) == (415, "the body is compressed; send it as it is\n")


def test_parts_of_other_types_are_refused(stow):
    status, text = post(stow, body(part10(ct_instance()), kind=b"application/dicom+json"))
    assert status == 409
    assert json.loads(text)["0008119A"]["Value"][0]["00081197"]["Value"] == [0xC000]


def test_a_token_is_needed_where_one_is_set(make_stow, tmp_path):
    (tmp_path / "token").write_text("s3cret\n")
    stow = make_stow(token_file=tmp_path / "token")
    data = body(part10(ct_instance()))
    assert post(stow, data)[0] == 401
    assert post(stow, data, Authorization="Bearer other")[0] == 401
    assert post(stow, data, Authorization="Basic s3cret")[0] == 401
    assert files(stow) == set()
    assert post(stow, data, Authorization="Bearer s3cret")[0] == 200


def test_a_token_file_that_is_empty_is_no_open_door(make_stow, tmp_path):
    (tmp_path / "token").write_text("\ntoken\n")
    with pytest.raises(
        ConfigError, match=r"cannot be read .its first line is empty.; give a file whose first line"
    ):
        make_stow(token_file=tmp_path / "token")
    with pytest.raises(ConfigError, match=r"cannot be read .No such file or directory"):
        make_stow(token_file=tmp_path / "none")


def test_limits(make_stow):
    data = body(part10(ct_instance(rows=100, columns=100)))
    assert post(make_stow(max_request=1000), data) == (413, "the body may have 1000 bytes\n")
    assert post(make_stow(max_request=1000), iter([data]), Transfer_Encoding="chunked")[0] == 413
    status, text = post(make_stow(LimitsConfig(min_free=0, max_instance=10_000)), data)
    assert status == 409
    assert json.loads(text)["00081198"]["Value"][0]["00081197"]["Value"] == [0xC001]
    full = make_stow(LimitsConfig(min_free=2**60))
    assert post(full, data) == (507, "the disk of the node is nearly full\n")
    assert files(full) == set()


def test_a_sender_that_leaves(stow):
    data = body(part10(ct_instance(1)), part10(ct_instance(2, rows=600, columns=500)))
    with socket.create_connection(("127.0.0.1", stow.http)) as connection:
        head = f"POST /dicom-web/studies HTTP/1.1\r\nHost: x\r\nContent-Type: {TYPE}\r\n"
        head += f"Content-Length: {len(data)}\r\n\r\n"
        connection.sendall(head.encode() + data[:-200])
    assert post(stow, body(part10(ct_instance(3))))[0] == 200
    wait_for(lambda: files(stow) == {row["path"] for row in rows(stow)})
    assert "2.25.77.2" not in {row["sop_instance_uid"] for row in rows(stow)}


def wait_for(condition):
    import time

    end = time.monotonic() + 5
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    assert condition()


@pytest.mark.parametrize("uid", ["../../x", "/etc/passwd", "1" * 65, "a"])
def test_uids_that_are_paths_go_nowhere(stow, uid):
    data = part10(ct_instance()).replace(b"2.25.77.1", uid.encode()[:9].ljust(9, b"."))
    status, _ = post(stow, body(data))
    assert status == 409 or uid == "1" * 65
    assert {path.name for path in stow.store.files.root.parent.iterdir()} <= {"node0"}


def test_file_meta_information_without_end(stow):
    endless = bytes(128) + b"DICM" + b"\2\0\1\0OB\0\0\xff\xff\xff\x7f" + bytes(200_000)
    assert post(stow, body(endless))[0] == 409
    zeros = bytes(128) + b"DICM" + b"\2\0\2\0UI\0\0" * 20_000
    assert post(stow, body(zeros))[0] == 409
    assert files(stow) == set()


def test_a_file_without_preamble_is_taken(stow):
    assert post(stow, body(part10(ct_instance())[132:]))[0] == 200
    assert pydicom.dcmread(stow.store.files.path(rows(stow)[0]["path"])) == ct_instance()


def test_reading_is_not_served(stow):
    connection = HTTPConnection("127.0.0.1", stow.http, timeout=20)
    connection.request("GET", "/dicom-web/studies")
    assert connection.getresponse().status == 405
    connection.close()
