"""Thousands of damaged files: each is read, or refused with our error, in little time."""

from __future__ import annotations

import gzip
import random
import time

import pytest

from dicomwright.errors import DicomwrightError

MUTANTS = 1000
SPECIAL = [
    b"\0\0",
    b"\xff\xff",
    b"\x7f\xff",
    b"\xff\x7f",
    b"\x80\0",
    b"\0\0\xc0\x7f",
    b"\0\0\x80\x7f",
    b"\x7f\xc0\0\0",
]


def _mutant(data: bytes, draw: random.Random) -> bytes:
    """Return data with a few bytes flipped, overwritten, removed, repeated or cut off."""
    out = bytearray(data)
    for _ in range(draw.randint(1, 4)):
        at = draw.randrange(min(len(out), 360)) if draw.random() < 0.8 else draw.randrange(len(out))
        kind = draw.randrange(6)
        if kind == 0:
            out[at] ^= 1 << draw.randrange(8)
        elif kind == 1:
            out[at] = draw.randrange(256)
        elif kind == 2:
            special = draw.choice(SPECIAL)
            out[at : at + len(special)] = special
        elif kind == 3:
            del out[at : at + draw.randint(1, 8)]
        elif kind == 4:
            out[at:at] = bytes(draw.randrange(256) for _ in range(draw.randint(1, 8)))
        else:
            del out[max(at, 1) :]
        if not out:
            return b"\0"
    return bytes(out)


@pytest.mark.parametrize("name", ["plain.nii", "inside.nii.gz", "outside.nii.gz", "two.nii", "pair.hdr"])
def test_mutants(nifti, reader, tmp_path, name):
    between = b"\1\0\0\0" + b"\x10\0\0\0\6\0\0\0" + b"x" * 8 + b"\x20\0\0\0\4\0\0\0" + b"y" * 24
    file = nifti(
        version=2 if name == "two.nii" else 1, pair=name == "pair.hdr", between=between, qform_code=1
    )
    (tmp_path / "pair.img").write_bytes(file.voxels)
    data = file.header + file.between if name == "pair.hdr" else file.single
    packed = gzip.compress(data, mtime=0)
    draw = random.Random(f"dicomwright {name}")
    path = tmp_path / name
    outcomes, slowest = {"read": 0, "refused": 0}, 0.0
    for _ in range(MUTANTS):
        if name == "outside.nii.gz":
            path.write_bytes(_mutant(packed, draw))
        elif name == "inside.nii.gz":
            path.write_bytes(gzip.compress(_mutant(data, draw), 1))
        else:
            path.write_bytes(_mutant(data, draw))
        started = time.process_time()
        outcomes[_outcome(reader, path)] += 1
        slowest = max(slowest, time.process_time() - started)
    assert outcomes["refused"] > MUTANTS / 10
    assert outcomes["read"] > (0 if name == "outside.nii.gz" else MUTANTS / 100)
    assert slowest < 5


def _outcome(reader, path):
    """Read a file; any exception that is not ours fails the test."""
    try:
        volume = reader.read(path, {})
    except DicomwrightError as error:
        text = str(error)
    else:
        volume.array.max()
        return "read"
    assert "\n" not in text
    assert str(path.parent) in text
    return "refused"
