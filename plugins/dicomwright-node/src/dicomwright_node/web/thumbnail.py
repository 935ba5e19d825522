"""A small picture of a series: its middle slice, windowed, as PNG. It is made in a process of its own."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from pydicom import Dataset

__all__ = ["png", "render"]

_SIDE = 160
_COLOURS = "PaletteColorLookupTable"
_TAGS = [
    *(f"{colour}{_COLOURS}{part}" for colour in ("Red", "Green", "Blue") for part in ("Descriptor", "Data")),
    *(f"Segmented{colour}{_COLOURS}Data" for colour in ("Red", "Green", "Blue")),
    "PixelRepresentation",
    "Rows",
    "Columns",
    "NumberOfFrames",
    "PixelSpacing",
    "PixelAspectRatio",
    "PhotometricInterpretation",
    "WindowCenter",
    "WindowWidth",
    "RescaleSlope",
    "RescaleIntercept",
    "BurnedInAnnotation",
    "Modality",
]
_WITHOUT_TEXT = frozenset({"CT", "MR", "PT", "NM"})


def render(paths: Sequence[str], with_text: bool = False) -> bytes:
    """Return the picture of the middle one of some files; empty where there is none to show.

    Parameters
    ----------
    paths : sequence of str
        Files of a series, in order.
    with_text : bool
        Whether to show pictures that may have text in them.

    """
    from pydicom import dcmread
    from pydicom.pixels.processing import apply_color_lut
    from pydicom.pixels.utils import pixel_array

    path = paths[len(paths) // 2]
    header = dcmread(path, stop_before_pixels=True, specific_tags=list(_TAGS))
    burned = str(header.get("BurnedInAnnotation", "")).upper() == "YES"
    if not with_text and (burned or str(header.get("Modality", "")) not in _WITHOUT_TEXT):
        return b""
    frames = int(header.get("NumberOfFrames") or 1)
    pixels = pixel_array(path, index=frames // 2)
    if str(header.get("PhotometricInterpretation", "")) == "PALETTE COLOR":
        pixels = apply_color_lut(pixels, header)
    return png(_scaled(_windowed(pixels, header), header))


def _windowed(pixels: NDArray[Any], header: Dataset) -> NDArray[Any]:
    """Return 8 bit: by the window of the header, else by all but the darkest and brightest hundredth."""
    import numpy as np

    if pixels.ndim == 3:  # noqa: PLR2004  # colour
        high = float(pixels.max()) or 1.0
        return np.asarray(pixels / high * 255).astype(np.uint8)
    values = pixels * float(header.get("RescaleSlope", 1) or 1) + float(
        header.get("RescaleIntercept", 0) or 0
    )
    finite = values[np.isfinite(values)]
    low, high = np.percentile(finite, [1, 99]) if finite.size else (0.0, 1.0)
    centre, width = _first(header, "WindowCenter"), _first(header, "WindowWidth")
    if centre is not None and width is not None and width >= 1:
        low, high = centre - width / 2, centre + width / 2
    grey = np.clip((values - low) / max(high - low, 1e-9), 0, 1) * 255
    if str(header.get("PhotometricInterpretation", "")) == "MONOCHROME1":
        grey = 255 - grey
    return np.nan_to_num(grey).astype(np.uint8)


def _first(header: Dataset, keyword: str) -> float | None:
    value = header.get(keyword)
    if value is None or value == "":
        return None
    try:
        return float(value[0])
    except (TypeError, IndexError):
        return float(value)


def _scaled(pixels: NDArray[Any], header: Dataset) -> NDArray[Any]:
    """Return the picture at most so many pixels wide and high, as wide and high as in the patient."""
    import numpy as np

    spacing = header.get("PixelSpacing") or header.get("PixelAspectRatio") or (1, 1)
    between_rows, between_columns = (max(float(value), 1e-6) for value in list(spacing)[:2])
    height, width = pixels.shape[0] * between_rows, pixels.shape[1] * between_columns
    factor = _SIDE / max(height, width)
    rows, columns = (max(1, round(length * factor)) for length in (height, width))
    row_index = (np.arange(rows) * pixels.shape[0] // rows).astype(np.intp)
    column_index = (np.arange(columns) * pixels.shape[1] // columns).astype(np.intp)
    return np.asarray(pixels[row_index][:, column_index])


def png(pixels: NDArray[Any]) -> bytes:
    r"""Return an 8 bit picture, grey or RGB, as PNG.

    Examples
    --------
    >>> import numpy as np
    >>> png(np.zeros((2, 3), np.uint8))[:4]
    b'\x89PNG'

    """
    rows, columns = pixels.shape[:2]
    colour = 2 if pixels.ndim == 3 else 0  # noqa: PLR2004  # with a colour axis
    lines = b"".join(b"\0" + pixels[row].tobytes() for row in range(rows))
    head = struct.pack(">IIBBBBB", columns, rows, 8, colour, 0, 0, 0)
    parts = [_chunk(b"IHDR", head), _chunk(b"IDAT", zlib.compress(lines, 6)), _chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
