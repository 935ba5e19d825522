"""Images on their way out: what they are, known before any is made, and their stored numbers."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np

from dicomwright.reading import refusal
from dicomwright_sc.iods import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from dicomwright.payload import Frames

__all__ = ["FrameImages", "Images"]

_COLOUR: Final = 3
_FLAT: Final = 2
_MOST_SIDE: Final = 65535  # Rows and Columns are US
_TYPES: Final = {"b1": "?", "u1": "u1", "u2": "u2"}


class Images(Protocol):
    """What the encoder asks of images; those of a grey volume are the core's `VolumePixels`."""

    @property
    def slope(self) -> float | None:
        """RescaleSlope, if there is one."""

    @property
    def intercept(self) -> float | None:
        """RescaleIntercept, if there is one."""

    def image(self, index: int) -> Any:
        """Return an image, unmodified."""

    def scaled_image(self, index: int) -> Any:
        """Return the numbers that an image is stored as."""


class FrameImages:
    """Images of unsigned 8 or 16 bit grey, of 8 bit colour, or of 1 bit.

    Parameters
    ----------
    images : sequence of ndarray
        (rows, columns) or (rows, columns, 3).
    shapes : sequence of tuple of int
        Of each image.
    dtypes : sequence of str
        Of each image: ``?``, ``u1`` or ``u2``.
    content : callable, optional
        Returns a digest of what the images follow from.

    """

    slope = intercept = None

    def __init__(
        self,
        images: Sequence[NDArray[Any]] | NDArray[Any],
        shapes: Sequence[tuple[int, ...]],
        dtypes: Sequence[str],
        content: Callable[[], bytes] | None = None,
    ) -> None:
        self._images, self._content = images, content
        self._dtypes = tuple(dtypes)
        self.shapes = tuple(map(tuple, shapes))
        self.kinds = tuple(Kind.of(shape, dtype) for shape, dtype in zip(shapes, dtypes, strict=True))

    @classmethod
    def of(cls, frames: Frames) -> FrameImages:
        """Return the images of frames; of a lazy sequence that tells what they are, none is made.

        Raises
        ------
        SourceError
            There is none, or one is no image that secondary capture holds.

        """
        if not hasattr(frames.images, "__len__"):
            message = (
                f"its images are a {type(frames.images).__name__}, which does not say how many there are"
            )
            raise refusal(frames.source, message, "give a list", "images")
        count = len(frames.images)
        if count == 0:
            raise refusal(frames.source, "it holds no image", "give at least one", "empty")
        shapes = frames.shapes or getattr(frames.images, "shapes", None)
        dtypes = getattr(frames.images, "dtypes", ("u1",) * count) if shapes else None
        if shapes is None or dtypes is None:
            arrays = (np.asarray(image) for image in frames.images)
            told = [(array.shape, array.dtype) for array in arrays]
        else:
            told = [(tuple(shape), np.dtype(dtype)) for shape, dtype in zip(shapes, dtypes, strict=False)]
        if len(told) != count:
            message = f"shapes and types of {len(told)} images are told, and it has {count}"
            raise refusal(frames.source, message, "tell one of each image", "images")
        forms = [_form(*each, index, frames.source) for index, each in enumerate(told)]
        shapes, dtypes = [shape for shape, _ in forms], [dtype for _, dtype in forms]
        _check_sizes(shapes, frames.source)
        return cls(frames.images, shapes, dtypes, frames.content)

    def __len__(self) -> int:
        return len(self.shapes)

    def image(self, index: int) -> Any:
        """Return an image, unmodified.

        Raises
        ------
        SourceError
            It is not what a lazy sequence told of it.

        """
        image = self._images[index]
        array, shape, dtype = np.asarray(image), self.shapes[index], self._dtypes[index]
        if array.shape != shape or _TYPES.get(array.dtype.str[1:]) != dtype:
            message = f"it is {array.dtype} {array.shape}, but {np.dtype(dtype)} {shape} was told of it"
            raise refusal(f"image {index + 1}", message, "tell shapes and dtypes as they are", "images")
        return image

    def scaled_image(self, index: int) -> NDArray[Any]:
        """Return an image as it is stored in an instance of its own: 1-bit as 0 and 255."""
        image = np.asarray(self.image(index))
        if image.dtype == bool:
            return np.where(image, np.uint8(255), np.uint8(0))  # whatever byte stands for True
        return np.ascontiguousarray(image, dtype=f"<u{image.dtype.itemsize}")

    def digest(self) -> bytes:
        """Return a digest of the images."""
        if self._content is not None:
            return self._content()
        state = hashlib.sha256(repr((self.shapes, self.kinds)).encode())
        for index in range(len(self)):
            state.update(self.scaled_image(index).data)
        return state.digest()


def _form(
    shape: tuple[int, ...], dtype: np.dtype[Any], index: int, source: str
) -> tuple[tuple[int, ...], str]:
    """Return shape and type of an image, refusing what secondary capture cannot hold."""
    where = f"{source}: image {index + 1}" if source else f"image {index + 1}"
    stored = _TYPES.get(dtype.str[1:])
    colour = len(shape) == _COLOUR and shape[-1] == _COLOUR
    if not (len(shape) == _FLAT or colour):
        message = f"its shape is {shape}, not (rows, columns) or (rows, columns, 3)"
        raise refusal(where, message, "blend an alpha channel over a background first", "shape")
    if stored is None:
        message = f"its type is {dtype}; an image without place or unit is bool, uint8 or uint16"
        raise refusal(where, message, "give a Volume, which has values", "dtype")
    if colour and stored != "u1":
        message = f"its colour samples are {dtype}; secondary capture has colour of 8 bit"
        raise refusal(where, message, "bring them to uint8", "depth")
    return shape, stored


def _check_sizes(shapes: Sequence[tuple[int, ...]], source: str) -> None:
    for index, shape in enumerate(shapes):
        if not 1 <= min(shape) <= max(shape) <= _MOST_SIDE:
            message = (
                f"image {index + 1} has {shape[0]} rows and {shape[1]} columns; DICOM has 1 to {_MOST_SIDE}"
            )
            raise refusal(source, message, "scale it", "size")
