"""The codecs: what they can take, how their pixels are described, and how they get through a build."""

from __future__ import annotations

import math
import threading
from collections import deque
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from dicomwright.encoders.codecs import Loss
from dicomwright.errors import BlueprintError, PluginError
from dicomwright_codecs.coding import LIBRARIES, Job, Result
from dicomwright_codecs.fragments import encapsulated
from dicomwright_codecs.session import Session, side_by_side
from dicomwright_codecs.workers import encode_here

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from concurrent.futures import Executor

    from dicomwright.encoders.codecs import CodecRequest, PixelLayout

__all__ = ["Compressed", "ImageCodec", "ImageCompression"]

_FAMILIES: Final = {"jpeg-ls-near": "jpeg-ls", "jpeg2000-lossless": "jpeg2000"}
_METHODS: Final = {"jpeg-ls-near": "ISO_14495_1", "jpeg2000": "ISO_15444_1", "htj2k": "ISO_15444_15"}
_DEFAULTS: Final = {
    "jpeg-ls-near": {"near": 2.0},
    "jpeg2000": {"ratio": 10.0},
    "htj2k": {"step": 0.0005},
    "htj2k-lossless-rpcl": {"rpcl": 1.0},
}
_GREY: Final = ("MONOCHROME1", "MONOCHROME2")
_COLOUR: Final = 3
_LEAST_SIDE: Final = 32  # with loss pylibjpeg-openjpeg always makes 6 resolutions
_MOST_NEAR: Final = 255  # of CharLS
_LEAST_BITS: Final = 2  # of JPEG-LS (PS3.5 8.2.3)


class Compressed(NamedTuple):
    """An instance, compressed."""

    value: Any
    loss: Loss


class ImageCodec:
    """Compresses images with one of the encoders.

    Examples
    --------
    >>> import numpy as np
    >>> from dicomwright import Blueprint, DicomFactory, Volume
    >>> volume = Volume(np.zeros((3, 4, 5), np.int16), [[0, 0, 1.5, 0], [0, 2, 0, 0], [3, 0, 0, 0], [0, 0, 0, 1]])
    >>> series = DicomFactory().build(volume, Blueprint.load("mr-image"), transfer_syntax="rle")
    >>> series[0].file_meta.TransferSyntaxUID.name
    'RLE Lossless'

    """

    def compression(self, request: CodecRequest) -> ImageCompression:
        """Return the compression of a build.

        Raises
        ------
        PluginError
            The encoder is not installed.
        BlueprintError
            An option is not a number, or out of range.

        """
        family = _FAMILIES.get(request.name, request.name.partition("-lossless")[0])
        try:
            for module in LIBRARIES[family]:
                import_module(module)
        except ModuleNotFoundError as error:
            raise PluginError(
                f'codec "{request.name}" needs the Python module "{error.name}", which is not installed',
                hint="python -m pip install dicomwright-codecs",
                kind="missing-dependency",
            ) from error
        return ImageCompression(request, family, _settings(request))


def _settings(request: CodecRequest) -> dict[str, float]:
    """Return the options as numbers, the default if none is given."""
    given = {name: _number(name, text) for name, text in request.options.items()}
    if {"ratio", "psnr"} <= given.keys():
        raise BlueprintError("give ratio or psnr, not both", kind="codec-option")
    return given or _DEFAULTS.get(request.name, {})


def _number(name: str, text: str) -> float:
    """Return the value of an option."""
    try:
        number = float(text)
    except (TypeError, ValueError):
        number = math.nan
    if name == "near":
        right, kind = (
            number.is_integer() and 1 <= number <= _MOST_NEAR,
            f"a whole number from 1 to {_MOST_NEAR}",
        )
    elif name == "ratio":
        right, kind = number >= 1, "a number from 1"
    else:
        right, kind = number > 0, "a number above 0"
    if not right or math.isinf(number):
        raise BlueprintError(f"{name}={text!r} is not {kind}", kind="codec-option")
    return number


class ImageCompression:
    """The images of one build, compressed.

    Within a session they are compressed ahead, side by side; without one, when they are asked for, here.
    """

    def __init__(self, request: CodecRequest, family: str, settings: Mapping[str, float]) -> None:
        self.method = _METHODS.get(request.name, "")
        self._request = request
        self._family = family
        self._settings = dict(settings)
        self._losses: dict[int, Loss] = {}
        self._last: tuple[int, Compressed] | None = None
        self._session: Session | None = None
        self._lock = threading.Lock()

    def problems(self, layout: PixelLayout) -> Iterator[str]:
        """Say why such pixels cannot be compressed (PS3.5 section 8.2)."""
        wanted = _GREY if layout.samples == 1 else ("RGB",)
        if layout.samples not in (1, _COLOUR) or layout.photometric not in wanted:
            yield (
                f"it has {layout.samples} samples a pixel and PhotometricInterpretation (0028,0004) "
                f"{layout.photometric or 'empty'}; 1 sample of {' or '.join(_GREY)}, or 3 of RGB can be"
            )
        if layout.bits_allocated not in (8, 16):
            plural = "" if layout.bits_allocated == 1 else "s"
            yield f"it has {layout.bits_allocated} bit{plural} a sample; 8 and 16 bits can be"
        elif layout.bits_stored <= layout.bits_allocated - 8:
            yield f"of the {layout.bits_allocated} bits of a sample only {layout.bits_stored} are used"
        elif self._family == "jpeg-ls" and layout.bits_stored < _LEAST_BITS:
            yield "JPEG-LS has at least 2 bits a sample"
        elif self._settings.get("near", 0) > ((1 << layout.bits_stored) - 1) // 2:
            yield f"near={self._settings['near']:.0f} is more than half of what its {layout.bits_stored} bits hold"
        if self._family == "jpeg2000" and self._settings and min(layout.rows, layout.columns) < _LEAST_SIDE:
            yield f"it has {layout.rows} rows and {layout.columns} columns; {_LEAST_SIDE} of each is the least"

    def photometric(self, layout: PixelLayout) -> str:
        """Return PhotometricInterpretation (0028,0004): JPEG 2000 transforms colours."""
        if layout.samples == 1 or self._family not in ("jpeg2000", "htj2k"):
            return layout.photometric
        return "YBR_ICT" if self.method else "YBR_RCT"

    def value(self, index: int) -> Any:
        """Return the fragments of an instance."""
        return self._compressed(index, last=True).value

    def loss(self, index: int) -> Loss:
        """Return what was lost of an instance."""
        if index not in self._losses:
            self._compressed(index, last=False)
        return self._losses[index]

    @contextmanager
    def session(self, jobs: int | None, indices: Sequence[int]) -> Iterator[None]:
        """Compress ahead, side by side, while instances are written."""
        if not indices:
            yield
            return
        layout = self._request.layout(indices[0])
        lets_go = self._job(layout).lets_go
        count = side_by_side(jobs, len(indices) * layout.frames, layout.frame_bytes, processes=not lets_go)
        by_writers = self._family == "rle" and len(indices) > 1  # so fast that handing over would cost more
        if count == 1 or by_writers or self._session is not None:
            yield
            return
        with Session(count, "" if lets_go else self._family, indices, self._compress) as session:
            self._session = session
            try:
                yield
            finally:
                self._session = None

    def _compressed(self, index: int, *, last: bool) -> Compressed:
        """Return an instance compressed; `last` says that it will not be asked for again."""
        session = self._session
        ahead = session is not None and index in session
        found: Compressed = session.compressed(index, last=last) if session and ahead else self._alone(index)
        self._losses[index] = found.loss
        return found

    def _alone(self, index: int) -> Compressed:
        """Return an instance compressed here; with loss it is remembered, as its header asks before its pixels do."""
        if not self.method:
            return self._compress(index, encode_here, None)
        with self._lock:
            if self._last is None or self._last[0] != index:
                self._last = index, self._compress(index, encode_here, None)
            return self._last[1]

    def _compress(
        self, index: int, run: Callable[[Job, memoryview, str], Result], executor: Executor | None
    ) -> Compressed:
        """Compress an instance; with an executor its frames side by side."""
        layout = self._request.layout(index)
        job, number = self._job(layout), index + 1
        frames = (
            (job, frame, f"image {number}" + (f", frame {place}" if layout.frames > 1 else ""))
            for place, frame in enumerate(self._request.frames(index), 1)
        )
        error = 0.0
        length = 0

        def streams() -> Iterator[bytes]:
            nonlocal error, length
            for result in _in_order(run, frames, executor):
                error = max(error, result.error)
                length += len(result.data)
                yield result.data

        value = encapsulated(streams(), layout.frames)
        return Compressed(value, Loss(layout.frame_bytes * layout.frames / length, error))

    def _job(self, layout: PixelLayout) -> Job:
        return Job(
            self._family,
            layout.rows,
            layout.columns,
            layout.samples,
            layout.bits_allocated,
            layout.bits_stored,
            layout.signed,
            self._settings,
        )


def _in_order(
    run: Callable[[Job, memoryview, str], Result],
    frames: Iterator[tuple[Job, memoryview, str]],
    executor: Executor | None,
) -> Iterator[Result]:
    """Yield the results of frames in their order, a few frames under way."""
    if executor is None:
        yield from (run(*frame) for frame in frames)
        return
    waiting: deque[Any] = deque()
    for frame in frames:
        waiting.append(executor.submit(partial(run, *frame)))
        if len(waiting) > getattr(executor, "_max_workers", 1):
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()
