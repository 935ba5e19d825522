"""What a codec is asked, and what it answers: the pixels of an instance in another transfer syntax."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Any, Protocol

from dicomwright._dataclass import dataclass
from dicomwright.blueprint.elements import BulkElement

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from dicomwright.blueprint.environment import InstanceEnvironment

__all__ = [
    "Codec",
    "CodecRequest",
    "Compression",
    "EncapsulatedElement",
    "Loss",
    "NativeCodec",
    "PixelLayout",
]


@dataclass(frozen=True)
class PixelLayout:
    """How the uncompressed pixels of an instance lie: frame by frame, row by row, samples of a pixel together.

    Attributes
    ----------
    rows, columns, samples, frames : int
        Their numbers.
    bits_allocated, bits_stored : int
        Bits of a sample, and how many of them are used.
    signed : bool
        Whether samples are two's complement.
    photometric : str
        PhotometricInterpretation (0028,0004) of the uncompressed pixels.

    """

    rows: int
    columns: int
    samples: int
    bits_allocated: int
    bits_stored: int
    signed: bool
    photometric: str
    frames: int = 1

    @property
    def frame_bytes(self) -> int:
        """Bytes of a frame of whole bytes."""
        return self.rows * self.columns * self.samples * (self.bits_allocated // 8)


@dataclass(frozen=True)
class CodecRequest:
    """What a codec is asked.

    Attributes
    ----------
    name, uid : str
        The transfer syntax.
    count : int
        Number of instances.
    frames : callable
        Yields the uncompressed frames of an instance, given its index from 0, as `memoryview` of bytes; each is made
        when it is asked for, so that no two need be in memory.
    layout : callable
        Returns the `PixelLayout` of an instance. It may look at all pixels when it is first asked.
    options : mapping of str to str
        The options of the codec.

    """

    name: str
    uid: str
    count: int
    frames: Callable[[int], Iterable[memoryview]]
    layout: Callable[[int], PixelLayout]
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Loss:
    """What a lossy compression did to an instance.

    Attributes
    ----------
    ratio : float
        Bytes before / bytes after.
    error : float
        Largest difference of a stored number.

    """

    ratio: float
    error: float


class Compression(Protocol):
    """The instances of one build in one transfer syntax. Its methods may be called from any thread."""

    #: LossyImageCompressionMethod (0028,2114); empty if nothing is lost.
    method: str

    def problems(self, layout: PixelLayout) -> Iterable[str]:
        """Say why such pixels cannot be in this transfer syntax."""

    def photometric(self, layout: PixelLayout) -> str:
        """Return PhotometricInterpretation (0028,0004) of the compressed pixels."""

    def value(self, index: int) -> Any:
        """Return the fragments of an instance (PS3.5 A.4), bytes-like or `BulkParts`, without the delimiter behind."""

    def loss(self, index: int) -> Loss:
        """Return what was lost of an instance; only asked where `method` says that something is."""

    def session(self, jobs: int | None, indices: Sequence[int]) -> AbstractContextManager[None]:
        """Surround the writing of a series: processes start and end here.

        Parameters
        ----------
        jobs : int, optional
            How many the user asked for.
        indices : sequence of int
            The instances that will be asked for, each once, roughly in this order.

        """


class Codec(Protocol):
    """Writes instances in a transfer syntax."""

    def compression(self, request: CodecRequest) -> Compression | None:
        """Return the compression of a build; None if the pixels stay as they are.

        Raises
        ------
        DicomwrightError
            An option has no such value.

        """


class NativeCodec:
    """Leaves the pixels as they are.

    Examples
    --------
    >>> request = CodecRequest("explicit-le", "1.2.840.10008.1.2.1", 1, lambda index: b"", lambda index: None)
    >>> NativeCodec().compression(request) is None
    True

    """

    def compression(self, request: CodecRequest) -> None:
        """Return None."""


class EncapsulatedElement(BulkElement):
    """PixelData in fragments."""

    encapsulated = True

    def __init__(self, compression: Compression, settings: tuple[Any, ...]) -> None:
        def fragments(env: InstanceEnvironment) -> Any:
            return compression.value(env.instance_number - 1)

        super().__init__("PixelData", "OB", fragments)
        self._compression = compression
        self.settings = settings  # what derived UIDs follow from

    def session(self, jobs: int | None, indices: Sequence[int]) -> AbstractContextManager[None]:
        """Surround the writing of instances."""
        return self._compression.session(jobs, indices)

    def rule(self) -> str:
        """Return the rule in a few words."""
        return f"for each instance from the source, by {self.settings[0]}"
