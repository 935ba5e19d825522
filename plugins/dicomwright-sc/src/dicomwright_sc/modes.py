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
_SAMPLE_FORMAT, _SIGNED = 339, 2
_MOST: Final = 65535
_MOST_SIDE: Final = 65535  # Rows and Columns are US
_GREY: Final = {"1": "?", "L": "u1", "I": "u2", "I;16": "u2", "I;16L": "u2", "I;16B": "u2", "I;16N": "u2"}
_GREY_ALPHA: Final = ("LA", "La")
_ALPHA: Final = (*_GREY_ALPHA, "RGBA", "RGBa", "PA")
_COLOUR: Final = ("P", "RGB", "RGBX", "CMYK", "YCbCr")
_EIGHT: Final = 8
_FEW_BITS: Final = {"L;2": 2, "L;4": 4}  # what Pillow calls grey that it spreads to 8 bit


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
    clear : int, optional
        The grey value that is transparent.

    """

    shape: tuple[int, ...]
    dtype: str
    notes: tuple[str, ...] = ()
    clear: int | None = None


def form_of(image: Image.Image, where: str, background: Colour) -> Form:
    """Return what a picture becomes, from its header alone.

    Parameters
    ----------
    image : PIL.Image.Image
        Opened, at one of its pages.
    where : str
        For messages.
    background : tuple of int
        The colour behind transparent pixels.

    Raises
    ------
    SourceError
        Its pixels cannot be stored as secondary capture.

    """
    columns, rows = image.size
    if max(rows, columns) > _MOST_SIDE:
        message = f"it has {rows} rows and {columns} columns; DICOM allows {_MOST_SIDE} of each"
        raise refusal(where, message, "scale it down", "too-large")
    _check_depth(image, where)
    clear = _clear(image)  # not known any more once the tags of a PNG are read
    if _turned(image):
        rows, columns = columns, rows
    notes = []
    if clear is not None or _has_alpha(image):
        notes.append(f"transparent pixels were composited on the background #{bytes(background).hex()}")
    if image.mode == "CMYK":
        notes.append("CMYK was converted to RGB without its colour profile")
    if image.mode in _GREY:
        return _grey_form(_GREY[image.mode], (rows, columns), tuple(notes), clear, background)
    if image.mode in _GREY_ALPHA and _is_grey(background):
        return Form((rows, columns), "u1", tuple(notes))
    if image.mode in (*_ALPHA, *_COLOUR):
        return Form((rows, columns, 3), "u1", tuple(notes))
    raise _foreign(image.mode, where)


def _grey_form(
    dtype: str, shape: tuple[int, int], notes: tuple[str, ...], clear: int | None, background: Colour
) -> Form:
    """Return the form of grey; up to 8 bit it takes the colour of a background that is seen through it."""
    if clear is None or dtype == "u2":
        return Form(shape, dtype, notes, clear)
    return Form(shape if _is_grey(background) else (*shape, 3), "u1", notes, clear)


def _check_depth(image: Image.Image, where: str) -> None:
    """Refuse samples that Pillow would cut to 8 bit."""
    if image.mode not in (*_ALPHA, *_COLOUR) or _depth(image) <= _EIGHT:
        return
    if _packing(image).startswith("LA"):
        message = "it is grey with transparency of 16 bit a sample, of which Pillow reads 8 bit"
    else:
        message = (
            "it is colour of 16 bit a sample, which secondary capture cannot hold: true colour has 8 bit"
        )
    raise refusal(where, message, "save it with 8 bit a sample, or as 16 bit grey", "depth")


def _foreign(mode: str, where: str) -> SourceError:
    """Return the error for pixels that are neither grey values nor red, green and blue."""
    what = {"F": "floating point numbers", "LAB": "L*a*b* colour", "HSV": "HSV colour"}.get(mode, mode)
    message = f"its pixels are {shown(what)}, which secondary capture cannot hold"
    hint = "give a volume with its units instead (NumPy, NIfTI)" if mode == "F" else "save it as RGB or grey"
    return refusal(where, message, hint, "mode")


def pixels_of(image: Image.Image, where: str, background: Colour, clear: int | None) -> NDArray[Any]:
    """Return the pixels of a picture, turned as it is to be seen; `clear` is that of its form.

    Raises
    ------
    SourceError
        A grey value does not fit.

    """
    image.load()
    inverted = _white_is_zero(image)
    turned = ImageOps.exif_transpose(image)
    if image.mode in _GREY and image.mode not in ("1", "L"):
        return _deep_grey(np.asarray(turned), where, inverted, clear, background)
    if image.mode in ("1", "L"):
        values = np.asarray(turned)
        if _is_signed(image):
            _check_range(values.view(np.int8), where)
        return values if clear is None else _seen_through(values, clear, background)
    if _has_alpha(image):
        return _composited(turned, background)
    return np.asarray(turned if turned.mode == "RGB" else turned.convert("RGB"))


def _seen_through(values: NDArray[Any], clear: int, background: Colour) -> NDArray[np.uint8]:
    """Return grey of up to 8 bit with the background in place of one value."""
    grey = np.where(values, np.uint8(255), np.uint8(0)) if values.dtype == bool else values
    if _is_grey(background):
        return np.where(grey == clear, np.uint8(background[0]), grey)
    colours = np.array(background, np.uint8)
    return np.where((grey == clear)[..., np.newaxis], colours, grey[..., np.newaxis])


def _composited(image: Image.Image, background: Colour) -> NDArray[Any]:
    """Return a picture on a background, grey if both are."""
    grey = image.mode in _GREY_ALPHA and _is_grey(background)
    over = image.convert("LA" if grey else "RGBA")
    under = Image.new(over.mode, over.size, (background[0], 255) if grey else (*background, 255))
    if grey:
        alpha = np.asarray(over.getchannel("A"), np.uint16)
        above = np.asarray(over.getchannel("L"), np.uint16)
        return np.asarray((above * alpha + background[0] * (255 - alpha) + 127) // 255, np.uint8)
    return np.asarray(Image.alpha_composite(under, over).convert("RGB"))


def _deep_grey(
    values: NDArray[Any], where: str, inverted: bool, clear: int | None, background: Colour
) -> NDArray[np.uint16]:
    """Return grey values of more than 8 bit."""
    _check_range(values, where)
    stored = values.astype(np.uint16)
    if inverted:
        stored = _MOST - stored
    if clear is not None:
        stored[stored == clear] = round(sum(background) / 3) * 257
    return stored


def _check_range(values: NDArray[Any], where: str) -> None:
    low, high = int(values.min()), int(values.max())
    if low < 0 or high > _MOST:
        message = (
            f"its grey values reach from {low} to {high}; secondary capture of a picture has 0 to {_MOST}"
        )
        raise refusal(where, message, "give a volume instead (NumPy, NIfTI)", "range")


def _has_alpha(image: Image.Image) -> bool:
    """Tell whether some pixels may be transparent, other than those of one grey value."""
    return image.mode in _ALPHA or (image.mode in _COLOUR and image.info.get("transparency") is not None)


def _clear(image: Image.Image) -> int | None:
    """Return the grey value that is transparent, spread to 8 bit as the pixels are."""
    value = image.info.get("transparency")
    if image.mode not in _GREY or not isinstance(value, int):
        return None
    bits = 1 if image.mode == "1" else _FEW_BITS.get(_packing(image), 16)
    most = (1 << bits) - 1
    return value if bits > _EIGHT else (value & most) * 255 // most


def _packing(image: Image.Image) -> str:
    """Return how the samples of a PNG lie in its file, in Pillow's words, nothing once it is decoded."""
    tiles = getattr(image, "tile", ())
    return str(tiles[0][-1]) if tiles and image.format == "PNG" else ""


def _is_signed(image: Image.Image) -> bool:
    """Tell whether grey of 8 bit in a TIFF is signed, which Pillow passes over."""
    return image.mode == "L" and _SIGNED in getattr(image, "tag_v2", {}).get(_SAMPLE_FORMAT, ())


def _is_grey(colour: Colour) -> bool:
    return len(set(colour)) == 1


def _turned(image: Image.Image) -> bool:
    """Tell whether rows and columns change places; Pillow has done so already for TIFF."""
    return image.format != "TIFF" and image.getexif().get(_ORIENTATION) in _TURNED


def _white_is_zero(image: Image.Image) -> bool:
    """Tell whether 0 is white, which Pillow undoes for up to 8 bit only."""
    tags = getattr(image, "tag_v2", {})
    return image.mode not in ("1", "L") and tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO


def _depth(image: Image.Image) -> int:
    """Return the bits of a sample in the file, 8 where it is decoded already."""
    if image.format == "TIFF":
        bits = getattr(image, "tag_v2", {}).get(_BITS_PER_SAMPLE, 1)
        return max(bits) if isinstance(bits, tuple) else int(bits)
    if image.format == "PPM":
        tiles = getattr(image, "tile", ())
        deep = any(isinstance(tile[-1], tuple) and tile[-1][-1] > 255 for tile in tiles)  # noqa: PLR2004  # largest value
        return 16 if deep else _EIGHT
    return 16 if ";16" in _packing(image) else _EIGHT
