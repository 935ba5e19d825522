"""One frame in, one code stream out. Runs in the build or in a process of its own; loads only what it needs."""

from __future__ import annotations

import struct
from functools import partial
from importlib import import_module
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    Buffer = bytes | memoryview

__all__ = ["LIBRARIES", "Job", "Result", "encode"]

#: The modules that each family of codecs needs; those of imagecodecs let go of Python's lock.
LIBRARIES: Final = {
    "rle": ("imagecodecs",),
    "jpeg-ls": ("jpeg_ls", "imagecodecs"),
    "jpeg2000": ("openjpeg", "imagecodecs"),
    "htj2k": ("imagecodecs",),
}

_BYTE: Final = 8
_SMALLEST_RESOLUTION: Final = 64  # pixels; of the RPCL transfer syntax (PS3.5 8.2.14)
_DECOMPOSITIONS: Final = 5
_RLE_HEADER: Final = struct.Struct("<16I")
_ROOM: Final = 1024  # bytes for the headers of small images
_SPIFF: Final = b"\xff\xe8"


class Job(NamedTuple):
    """How a frame is to be encoded.

    Attributes
    ----------
    family : str
        A key of `LIBRARIES`.
    rows, columns, samples, bits_allocated, bits_stored : int
        How its samples lie.
    signed : bool
        Whether they are two's complement.
    settings : dict
        ``near``, ``ratio``, ``psnr`` or ``step`` with loss, else nothing; ``rpcl`` orders by resolution.

    """

    family: str
    rows: int
    columns: int
    samples: int
    bits_allocated: int
    bits_stored: int
    signed: bool
    settings: dict[str, float]

    @property
    def shape(self) -> tuple[int, ...]:
        """Rows, columns, and samples if there are several."""
        return (self.rows, self.columns, self.samples)[: 2 if self.samples == 1 else 3]

    @property
    def dtype(self) -> str:
        """Numpy's name of the samples."""
        return f"<{'i' if self.signed else 'u'}{self.bits_allocated // _BYTE}"

    @property
    def lets_go(self) -> bool:
        """Whether the encoder lets go of Python's lock, so that threads run it side by side."""
        if self.family == "jpeg-ls":
            return self._fills_samples
        return self.family != "jpeg2000" or not self.settings

    @property
    def _fills_samples(self) -> bool:
        return self.bits_stored == self.bits_allocated


class Result(NamedTuple):
    """A code stream, and the largest error that decoding it shows; zero where nothing is lost."""

    data: bytes
    error: float


def encode(job: Job, frame: Buffer) -> Result:
    """Return a frame encoded."""
    return _FAMILIES[job.family](job, frame)


def _rle(job: Job, frame: Buffer) -> Result:
    """Encode a segment for each byte of a sample, the highest first, row by row (PS3.5 annex G)."""
    import numpy as np

    pack = import_module("imagecodecs").packbits_encode
    octets = np.frombuffer(frame, np.uint8).reshape(job.rows, job.columns, job.samples, -1)
    planes = np.ascontiguousarray(octets[..., ::-1].transpose(2, 3, 0, 1)).reshape(-1, job.rows, job.columns)
    segments = [pack(plane, axis=-1) for plane in planes]
    segments = [segment + b"\0" if len(segment) % 2 else segment for segment in segments]
    offsets = accumulate(map(len, segments[:-1]), initial=_RLE_HEADER.size)
    numbers = [len(segments), *offsets]
    header = _RLE_HEADER.pack(*numbers, *[0] * (16 - len(numbers)))
    return Result(b"".join((header, *segments)), 0.0)


def _jpeg_ls(job: Job, frame: Buffer) -> Result:
    """Encode by CharLS, which takes the samples as unsigned numbers of `bits_stored` bits."""
    import numpy as np

    allowed = int(job.settings.get("near", 0))
    samples = np.frombuffer(frame, job.dtype)
    near, moved = _with_room(samples, allowed, job.bits_stored) if job.signed else (allowed, samples)
    unsigned = moved.view(job.dtype.replace("i", "u"))
    data = _charls(job, unsigned, near) if job.lets_go else _charls_of_bits(job, unsigned, near)
    if not allowed:
        return Result(data, 0.0)
    decoded = np.ascontiguousarray(import_module("imagecodecs").jpegls_decode(data)).reshape(-1)
    decoded = decoded.astype(job.dtype.replace("i", "u"))
    if job.signed:
        shift = job.bits_allocated - job.bits_stored
        decoded = (decoded << shift).view(job.dtype) >> shift
    return Result(data, _largest_error(samples, decoded))


def _charls(job: Job, samples: Any, near: int) -> bytes:
    """Encode samples that use all their bits, and leave out the headers of SPIFF, which DICOM has no use for."""
    room = 2 * samples.nbytes + _ROOM
    encoded = import_module("imagecodecs").jpegls_encode(samples.reshape(job.shape), near or None, out=room)
    data = bytes(encoded)
    start = end = len(b"\xff\xd8")
    while data.startswith(_SPIFF, end):
        end += len(_SPIFF) + int.from_bytes(data[end + 2 : end + 4], "big")
    return data[:start] + data[end:]


def _charls_of_bits(job: Job, samples: Any, near: int) -> bytes:
    """Encode samples of fewer bits than they take, with the same library in another package."""
    frame = (samples & ((1 << job.bits_stored) - 1)).tobytes()
    interleave = 0 if job.samples == 1 else 2
    encode_buffer = import_module("jpeg_ls").encode_buffer
    return bytes(encode_buffer(frame, job.rows, job.columns, job.samples, job.bits_stored, near, interleave))


def _with_room(samples: Any, near: int, bits: int) -> tuple[int, Any]:
    """Return a bound for the error of coding, and samples that it cannot carry over the end of their range.

    Beyond it they would change their sign. Where samples lie as near to the end as that, coding gets half of the
    bound, and the other half goes into moving them inwards.
    """
    least, most = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
    if not near or (samples.min() >= least + near and samples.max() <= most - near):
        return near, samples
    half = near // 2
    return half, samples.clip(least + half, most - half)


def _jpeg2000(job: Job, frame: Buffer) -> Result:
    """Encode by OpenJPEG; colours are decorrelated. With loss the one package has it that knows of ratios."""
    import numpy as np

    samples = np.frombuffer(frame, job.dtype)
    if not job.settings:
        options: dict[str, Any] = {"mct": True, "planar": False} if job.samples > 1 else {}
        encode_lossless = partial(
            import_module("imagecodecs").jpeg2k_encode, codecformat="j2k", reversible=True
        )
        data = encode_lossless(samples.reshape(job.shape), 0, bitspersample=job.bits_stored, **options)
        return Result(bytes(data), 0.0)
    openjpeg = import_module("openjpeg")
    name, number = (
        ("signal_noise_ratios", "psnr") if "psnr" in job.settings else ("compression_ratios", "ratio")
    )
    data = openjpeg.encode_pixel_data(
        bytes(frame),
        rows=job.rows,
        columns=job.columns,
        samples_per_pixel=job.samples,
        bits_stored=job.bits_stored,
        pixel_representation=int(job.signed),
        photometric_interpretation="YBR_RCT" if job.samples > 1 else "MONOCHROME2",
        **{name: [job.settings[number]]},
    )
    return Result(data, _largest_error(samples, openjpeg.decode(data)))


def _htj2k(job: Job, frame: Buffer) -> Result:
    """Encode by OpenJPH; colours are decorrelated. Its packets are in the order of RPCL in any case."""
    import numpy as np

    imagecodecs = import_module("imagecodecs")
    samples = np.frombuffer(frame, job.dtype).reshape(job.shape)
    options: dict[str, Any] = {"rgb": True, "planar": False} if job.samples > 1 else {}
    if "rpcl" in job.settings:
        longest = max(job.rows, job.columns)
        levels = max(_DECOMPOSITIONS, (-(-longest // _SMALLEST_RESOLUTION) - 1).bit_length())
        options |= {"tlm": True, "resolutions": levels}
    if "step" not in job.settings:
        return Result(bytes(imagecodecs.htj2k_encode(samples, reversible=True, **options)), 0.0)
    data = bytes(imagecodecs.htj2k_encode(samples, job.settings["step"], reversible=False, **options))
    # OpenJPEG keeps to the range; htj2k_decode lets numbers run over its end.
    return Result(data, _largest_error(samples, imagecodecs.jpeg2k_decode(data)))


def _largest_error(before: Any, after: Any) -> float:
    import numpy as np

    return float(np.abs(before.reshape(-1).astype(np.int64) - after.reshape(-1)).max())


_FAMILIES: Final[dict[str, Callable[[Job, Buffer], Result]]] = {
    "rle": _rle,
    "jpeg-ls": _jpeg_ls,
    "jpeg2000": _jpeg2000,
    "htj2k": _htj2k,
}
