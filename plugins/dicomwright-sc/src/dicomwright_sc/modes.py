"""What Pillow's modes become: 1-bit, 8 or 16 bit grey, or 8 bit RGB; the rest is refused with the reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from PIL import Image, ImageOps

from dicomwright.reading import refusal, shown

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dicomwright.errors import SourceError

    Colour = tuple[int, int, int]

__all__ = ["Form", "form_of", "pixels_of"]

_ORIENTATION: Final = 0x0112
_TURNED: Final = (5, 6, 7, 8)
_BITS_PER_SAMPLE, _PHOTOMETRIC, _WHITE_IS_ZERO = 258, 262, 0
_MOST: Final = 65535
_MOST_SIDE: Final = 65535  # Rows and Columns are US
_GREY: Final = {"1": "?", "L": "u1", "I": "u2", "I;16": "u2", "I;16L": "u2", "I;16B": "u2", "I;16N": "u2"}
_ALPHA: Final = ("LA", "La", "RGBA", "RGBa", "PA")
_COLOUR: Final = ("P", "RGB", "RGBX", "CMYK", "YCbCr")
_PNG_DEPTH, _PNG_END = 24, 26
_EIGHT: Final = 8


@dataclass(frozen=True, slots=True)
class Form:
    """What a picture becomes.

    Attributes
    ----------
    shape : tuple of int
        (rows, columns), and 3 samples for colour.
    dtype : str
        ``?`` for 1-bit, ``u1`` or ``u2``.
    notes : tuple of str
        What was changed.

    """

    shape: tuple[int, ...]
    dtype: str
    notes: tuple[str, ...] = ()


def form_of(image: Image.Image, where: str, background: Colour, head: bytes = b"") -> Form:
    """Return what a picture becomes, from its header alone.

    Parameters
    ----------
    image : PIL.Image.Image
        Opened, at one of its pages.
    where : str
        For messages.
    background : tuple of int
        The colour behind transparent pixels.
    head : bytes
        The first bytes of the file; Pillow does not tell the depth of colour in PNG and PPM.

    Raises
    ------
    SourceError
        Its pixels cannot be stored as secondary capture.

    """
    columns, rows = image.size
    if max(rows, columns) > _MOST_SIDE:
        message = f"it has {rows} rows and {columns} columns; DICOM allows {_MOST_SIDE} of each"
        raise refusal(where, message, "scale it down", "too-large")
    if _turned(image):
        rows, columns = columns, rows
    notes = []
    if _has_alpha(image):
        notes.append(f"transparent pixels were composited on the background #{bytes(background).hex()}")
    if image.mode == "CMYK":
        notes.append("CMYK was converted to RGB without its colour profile")
    if image.mode in _GREY and not (image.mode == "L" and _has_alpha(image) and not _is_grey(background)):
        return Form((rows, columns), _GREY[image.mode], tuple(notes))
    if image.mode in (*_ALPHA, *_COLOUR) and _depth(image, head) > _EIGHT:
        message = (
            "it is colour of 16 bit a sample, which secondary capture cannot hold: true colour has 8 bit"
        )
        raise refusal(where, message, "save it with 8 bit a sample, or as 16 bit grey", "depth")
    if image.mode in ("LA", "La") and _is_grey(background):
        return Form((rows, columns), "u1", tuple(notes))
    if image.mode in (*_ALPHA, *_COLOUR, "L"):
        return Form((rows, columns, 3), "u1", tuple(notes))
    raise _foreign(image.mode, where)


def _foreign(mode: str, where: str) -> SourceError:
    """Return the error for pixels that are neither grey values nor red, green and blue."""
    what = {"F": "floating point numbers", "LAB": "L*a*b* colour", "HSV": "HSV colour"}.get(mode, mode)
    message = f"its pixels are {shown(what)}, which secondary capture cannot hold"
    hint = "give a volume with its units instead (NumPy, NIfTI)" if mode == "F" else "save it as RGB or grey"
    return refusal(where, message, hint, "mode")


def pixels_of(image: Image.Image, where: str, background: Colour) -> NDArray[Any]:
    """Return the pixels of a picture, turned as it is to be seen.

    Raises
    ------
    SourceError
        A grey value does not fit 16 bit.

    """
    image.load()
    inverted = _white_is_zero(image)
    transparent = image.info.get("transparency")
    if image.mode in _GREY and image.mode not in ("1", "L"):
        values = np.asarray(ImageOps.exif_transpose(image))
        return _deep_grey(values, where, inverted, transparent, background)
    turned = ImageOps.exif_transpose(image)
    if image.mode == "1":
        return np.asarray(turned)
    if _has_alpha(image):
        return _composited(turned, background)
    return np.asarray(turned if turned.mode in ("L", "RGB") else turned.convert("RGB"))


def _composited(image: Image.Image, background: Colour) -> NDArray[Any]:
    """Return a picture on a background, grey if both are."""
    grey = image.mode in ("L", "LA", "La") and _is_grey(background)
    over = image.convert("LA" if grey else "RGBA")
    under = Image.new(over.mode, over.size, (background[0], 255) if grey else (*background, 255))
    if grey:
        alpha = np.asarray(over.getchannel("A"), np.uint16)
        above = np.asarray(over.getchannel("L"), np.uint16)
        return np.asarray((above * alpha + background[0] * (255 - alpha) + 127) // 255, np.uint8)
    return np.asarray(Image.alpha_composite(under, over).convert("RGB"))


def _deep_grey(
    values: NDArray[Any], where: str, inverted: bool, transparent: Any, background: Colour
) -> NDArray[np.uint16]:
    """Return grey values of more than 8 bit."""
    low, high = int(values.min()), int(values.max())
    if low < 0 or high > _MOST:
        message = (
            f"its grey values reach from {low} to {high}; secondary capture of a picture has 0 to {_MOST}"
        )
        raise refusal(where, message, "give a volume instead (NumPy, NIfTI)", "range")
    stored = values.astype(np.uint16)
    if inverted:
        stored = _MOST - stored
    if isinstance(transparent, int):
        stored[stored == transparent] = round(sum(background) / 3) * 257
    return stored


def _has_alpha(image: Image.Image) -> bool:
    """Tell whether some pixels may be transparent."""
    return image.mode in _ALPHA or image.info.get("transparency") is not None


def _is_grey(colour: Colour) -> bool:
    return len(set(colour)) == 1


def _turned(image: Image.Image) -> bool:
    """Tell whether rows and columns change places; Pillow has done so already for TIFF."""
    return image.format != "TIFF" and image.getexif().get(_ORIENTATION) in _TURNED


def _white_is_zero(image: Image.Image) -> bool:
    """Tell whether 0 is white, which Pillow undoes for up to 8 bit only."""
    tags = getattr(image, "tag_v2", {})
    return image.mode not in ("1", "L") and tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO


def _depth(image: Image.Image, head: bytes) -> int:
    """Return the bits of a sample in the file."""
    if image.format == "PNG" and len(head) >= _PNG_END:
        return head[_PNG_DEPTH]
    if image.format == "TIFF":
        bits = getattr(image, "tag_v2", {}).get(_BITS_PER_SAMPLE, 1)
        return max(bits) if isinstance(bits, tuple) else int(bits)
    if image.format == "PPM":
        most = [int(word) for word in head.split()[1:4] if word.isdigit()]
        return 16 if len(most) == 3 and most[2] > 255 else _EIGHT  # noqa: PLR2004  # width, height, largest value
    return _EIGHT
