"""Instances that are much larger than what the node may hold in memory, by both protocols."""

from __future__ import annotations

import struct
from http.client import HTTPConnection
from pathlib import Path

from pynetdicom.dsutils import encode

from workbench.dimse import RawSender, command_set, pdu, status_of, value
from workbench.nodes import ServedNode, ct_instance

SIZE = 700 * 2**20
PIECE = 200_000
MOST_MORE = 40 * 2**20
TYPE = 'multipart/related; type="application/dicom"; boundary=b'


def pieces(number):
    """Yield the dataset of a large instance, in explicit VR little endian."""
    dataset = ct_instance(number)
    del dataset.PixelData
    yield encode(dataset, is_implicit_vr=False, is_little_endian=True)
    yield b"\xe0\x7f\x10\0OW\0\0" + struct.pack("<L", SIZE)
    for at in range(0, SIZE, PIECE):
        yield bytes(min(PIECE, SIZE - at))


def peak(node):
    lines = Path(f"/proc/{node.process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def by_dimse(node):
    with RawSender(node.dimse_port) as sender:
        sender.send(pdu(4, value(command_set(sop_instance="2.25.77.1"), 3)))
        for piece in pieces(1):
            sender.send(pdu(4, value(piece, 0)))
        sender.send(pdu(4, value(b"", 2)))
        kind, body = sender.answer()
        assert (kind, status_of(body)) == (4, (0, ""))
        sender.release()


def by_stow(node):
    start = struct.pack("<HH2sH", 2, 2, b"UI", 26) + b"1.2.840.10008.5.1.4.1.1.2\0"
    start += struct.pack("<HH2sH", 2, 3, b"UI", 10) + b"2.25.77.2\0"
    start += struct.pack("<HH2sH", 2, 0x10, b"UI", 20) + b"1.2.840.10008.1.2.1\0"

    def body():
        yield b"--b\r\nContent-Type: application/dicom\r\n\r\n" + bytes(128) + b"DICM" + start
        yield from pieces(2)
        yield b"\r\n--b--\r\n"

    connection = HTTPConnection("127.0.0.1", node.http_port, timeout=120)
    headers = {"Content-Type": TYPE, "Transfer-Encoding": "chunked"}
    connection.request("POST", "/dicom-web/studies", body(), headers, encode_chunked=True)
    assert connection.getresponse().status == 200
    connection.close()


def test_large_instances(tmp_path, figure):
    grown = {}
    with ServedNode(
        tmp_path / "n", config="[limits]\nmin_free = 0\n[jobs]\nsettle = 600\nquiet = 600\n"
    ) as node:
        for name, send in (("dimse", by_dimse), ("stow", by_stow)):
            before = peak(node)
            send(node)
            grown[name] = peak(node) - before
        node.kill()
    sizes = [path.stat().st_size for path in node.kept.glob("instances/*/*.dcm")]
    assert len(sizes) == 2
    assert min(sizes) > SIZE
    figure(
        "large-instance",
        megabytes=SIZE // 10**6,
        **{f"{name}_more": more // 10**6 for name, more in grown.items()},
    )
    assert max(grown.values()) < MOST_MORE
