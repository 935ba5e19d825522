"""Damaged documents: an error of ours, or images; never another exception, never a hang."""

from __future__ import annotations

import random
from contextlib import suppress

import pytest

from dicomwright.errors import SourceError
from dicomwright_pdf.testing import pdf_of


def mutant(seed: int) -> bytes:
    """Return a document with some bytes changed, removed, doubled, or moved."""
    chance = random.Random(seed)
    data = bytearray(pdf_of("Findings: none", ["One", "Two"], title="Report", size=(60, 40)))
    for _ in range(chance.randint(1, 6)):
        start = chance.randrange(len(data))
        stop = min(len(data), start + chance.choice((1, 1, 2, 8, 60)))
        match chance.randrange(4):
            case 0:
                data[start:stop] = chance.randbytes(stop - start)
            case 1:
                del data[start:stop]
            case 2:
                data[start:start] = data[start:stop] * chance.choice((1, 3, 50))
            case _:
                digits = [index for index in range(len(data)) if data[index : index + 1].isdigit()]
                data[chance.choice(digits)] = chance.choice(b"0123456789-")
    return bytes(data)


@pytest.mark.parametrize("seed", range(15))
def test_mutants(frames, seed):
    with suppress(SourceError):
        assert all(image.ndim == 3 for image in frames(mutant(seed), dpi="72", max_seconds="1").images)
