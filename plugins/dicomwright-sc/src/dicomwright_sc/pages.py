"""The pages of a picture file, decoded when they are asked for."""

from __future__ import annotations

import hashlib
import io
import logging
import math
import os
import sys
import threading
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from PIL import Image, UnidentifiedImageError

from dicomwright.errors import DicomwrightError
from dicomwright.payload import LazyImages
from dicomwright.reading import refusal, regular_file, shown
from dicomwright_sc.modes import form_of, pixels_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from dicomwright.errors import SourceError
    from dicomwright_sc.modes import Form
    from dicomwright_sc.options import ReadOptions

__all__ = ["FORMATS", "MAGICS", "ImagePages", "PicturePages"]

#: What Pillow may try: decoders that few need are left out.
FORMATS: Final = ("PNG", "JPEG", "TIFF", "BMP", "DIB", "PPM")
#: How files of these formats begin.
MAGICS: Final = (
    b"\x89PNG\r\n\x1a\n",
    b"\xff\xd8\xff",
    b"II*\0",
    b"MM\0*",
    b"II+\0",
    b"MM\0+",
    b"BM",
    *(b"P%d" % n for n in range(1, 7)),
)
_TIFF: Final = (b"II", b"MM")
_HEAD: Final = 64
_BLOCK: Final = 1024**2
_SCAN: Final = b"\xff\xda"
_MOST_SCANS: Final = 100
_MOST_READS: Final = 1_000_000
_STDERR: Final = 2
_ONE_AT_A_TIME: Final = threading.RLock()  # the filters of warnings belong to the process, not to a thread
_MEMORY: Final = "Pillow image"
_ONE: Final = "name one picture"
_COPY_AGAIN: Final = "copy the file again or restore it"
_LOSSY: Final = {"JPEG": "ISO_10918_1", "MPO": "ISO_10918_1"}
_LOSSY_TIFF: Final = ("jpeg", "tiff_jpeg")

logging.getLogger("PIL").addHandler(logging.NullHandler())  # what it has against a file is in our message


class PicturePages(LazyImages):
    """The pages of a file as images: (rows, columns) or (rows, columns, 3).

    A page is decoded each time it is asked for, from any thread.

    Parameters
    ----------
    path : Path
        The file.
    options : ReadOptions
        Background and limits.

    Attributes
    ----------
    shapes : tuple of tuple of int
        Of each page.
    dtypes : tuple of str
        Of each page: ``?``, ``u1`` or ``u2``.
    lossy : tuple of (str, float) or None
        LossyImageCompressionMethod (0028,2114) and the ratio of each page that was compressed with loss.
    notes : tuple of str
        What was changed.

    Raises
    ------
    SourceError
        The file is no picture that is read here, is damaged, or beyond a limit.

    """

    def __init__(self, path: Path, options: ReadOptions) -> None:
        self._path, self._options = path, options
        forms: list[Form] = []
        with _open(path) as (file, image):
            size = os.fstat(file.fileno()).st_size
            count = _count(image, options, str(path))
            if image.format == "JPEG":
                _check_scans(file, path)
            lossy = []
            for page in range(count):
                image.seek(page)
                self._admit(image, page)
                forms.append(form_of(image, str(path), options.background))
                lossy.append(_loss(image, forms[-1], size / count))
            notes = [*_left_out(image), *(note for form in forms for note in form.notes)]
        super().__init__(*_shapes_and_dtypes(forms))
        self._clear = tuple(form.clear for form in forms)
        self.lossy = tuple(lossy)
        self.notes = tuple(dict.fromkeys(notes))

    def image(self, position: int) -> NDArray[Any]:
        """Return a page.

        Raises
        ------
        SourceError
            The page cannot be decoded.

        """
        with _open(self._path) as (_, image):
            image.seek(position)
            self._admit(image, position)
            pixels = pixels_of(image, str(self._path), self._options.background, self._clear[position])
        if pixels.shape != self.shapes[position] or pixels.dtype != self.dtypes[position]:
            raise refusal(self._path, "it changed while it was read", "build again", "changed")
        return pixels

    def _admit(self, image: Image.Image, page: int) -> None:
        """Refuse a page that would take too much memory, before it is decoded."""
        columns, rows = image.size
        if rows * columns > self._options.max_pixels:
            message = (
                f"page {page + 1} has {rows}x{columns} pixels (rows x columns), more than the limit "
                f"max_pixels ({self._options.max_pixels:,})"
            )
            raise refusal(self._path, message, f"set the option max_pixels={rows * columns}", "too-large")

    def digest(self) -> bytes:
        """Return a digest of all that the images follow from."""
        with regular_file(self._path, _ONE) as file:
            state = hashlib.file_digest(file, "sha256")
        state.update(repr(self._options.background).encode())
        return state.digest()


class ImagePages(LazyImages):
    """Pillow images in memory, as `PicturePages`."""

    def __init__(self, images: Sequence[Image.Image], background: tuple[int, int, int]) -> None:
        self._images, self._background = images, background
        with _refusing(_MEMORY):
            forms = [form_of(image, _MEMORY, background) for image in images]
        super().__init__(*_shapes_and_dtypes(forms))
        self._clear = tuple(form.clear for form in forms)
        self.lossy = tuple(_loss_in_memory(*each) for each in zip(images, forms, strict=True))
        self.notes = tuple(dict.fromkeys(note for form in forms for note in form.notes))

    def image(self, position: int) -> NDArray[Any]:
        """Return an image.

        Raises
        ------
        SourceError
            Pillow decodes another picture than it told, as it does with some turned TIFFs that it maps.

        """
        with _ONE_AT_A_TIME, _refusing(_MEMORY):
            pixels = pixels_of(self._images[position], _MEMORY, self._background, self._clear[position])
        if pixels.shape != self.shapes[position] or pixels.dtype != self.dtypes[position]:
            message = f"its pixels are {pixels.shape}, and not {self.shapes[position]} as Pillow told before"
            raise refusal(_MEMORY, message, "give the path of its file", "changed")
        return pixels


def _shapes_and_dtypes(forms: Sequence[Form]) -> tuple[tuple[tuple[int, ...], ...], tuple[str, ...]]:
    return tuple(form.shape for form in forms), tuple(form.dtype for form in forms)


@contextmanager
def _open(path: Path) -> Iterator[tuple[io.FileIO, Image.Image]]:
    """Open a picture."""
    with regular_file(path, _ONE) as file, _ONE_AT_A_TIME, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of Pillow, for odd tags and for sizes that are limited here
        head = os.pread(file.fileno(), _HEAD, 0)
        with (
            _refusing(path, head),
            _quiet(head),
            Image.open(_Patient(file, head), formats=FORMATS) as image,
        ):
            yield file, image


@contextmanager
def _refusing(where: Path | str, head: bytes = b"") -> Iterator[None]:
    """Turn what Pillow's decoders raise for damaged pictures into one refusal."""
    try:
        yield
    except DicomwrightError:
        raise
    except UnidentifiedImageError as error:
        raise _unknown(where, head) from error
    except Image.DecompressionBombError as error:
        message = "has more pixels than Pillow opens (178,956,970)"
        raise refusal(where, message, "scale it down", "too-large") from error
    except MemoryError as error:
        raise refusal(where, "does not fit into memory", "scale it down", "too-large") from error
    except Exception as error:  # decoders raise nearly anything for damaged files
        reason = shown(" ".join(str(error).split()) or type(error).__name__)
        raise refusal(where, f"is damaged: {reason}", _COPY_AGAIN, "damaged") from error


class _Patient(io.BufferedReader):
    """A file that is not read in absurdly many small pieces, as damaged ones make Pillow do for minutes."""

    def __init__(self, file: io.FileIO, head: bytes) -> None:
        super().__init__(file)
        self._left = math.inf if head.startswith(_TIFF) else _MOST_READS  # the pages of a TIFF are limited

    def read(self, size: int | None = -1, /) -> bytes:
        """Return at most so many bytes."""
        self._left -= 1
        if self._left < 0:
            raise OSError("it has no end of small parts")
        return super().read(size)


@contextmanager
def _quiet(head: bytes) -> Iterator[None]:
    """Keep libtiff, which writes its complaints to standard error itself, from doing so."""
    if not head.startswith(_TIFF):
        yield
        return
    if sys.stderr is None:  # it is closed, and its number may be that of any file
        yield
        return
    sys.stderr.flush()
    kept, sink = os.dup(_STDERR), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(sink, _STDERR)
        yield
    finally:
        os.dup2(kept, _STDERR)
        os.close(kept)
        os.close(sink)


def _unknown(path: Path | str, head: bytes) -> SourceError:
    """Return the error for a file that Pillow does not take."""
    if head.startswith(_TIFF):
        message = "is a kind of TIFF that is not read, or damaged: its header says nothing that is known"
        hint = "save it as PNG, or as TIFF of 1, 8 or 16 bit grey or of RGB"
        return refusal(path, message, hint, "damaged")
    if head.startswith(MAGICS):
        return refusal(path, "is damaged: its header cannot be read", _COPY_AGAIN, "damaged")
    return refusal(path, "is no picture that is read here", "save it as PNG", "format")


def _count(image: Image.Image, options: ReadOptions, where: str) -> int:
    """Return the number of pages: those of a TIFF; of others the first picture only."""
    if image.format != "TIFF":
        return 1
    count = 0
    while count <= options.max_pages:
        try:
            image.seek(count)
        except EOFError:
            return count
        count += 1
    message = f"it has more pages than the limit max_pages ({options.max_pages})"
    raise refusal(where, message, "split it, or set the option max_pages", "too-large")


def _left_out(image: Image.Image) -> Iterator[str]:
    """Yield what is said of animations and stereo pairs."""
    count = getattr(image, "n_frames", 1)
    if image.format != "TIFF" and count > 1:
        yield f"it holds {count} pictures, of which the first was taken"


def _check_scans(file: io.FileIO, path: Path) -> None:
    """Refuse a JPEG whose pixels are gone over again and again, which takes minutes from a small file."""
    scans, last, at = 0, b"", 0
    while block := os.pread(file.fileno(), _BLOCK, at):
        scans += (last + block).count(_SCAN)
        last, at = block[-1:], at + len(block)
    if scans > _MOST_SCANS:
        message = f"it has {scans} scans; a JPEG needs no more than {_MOST_SCANS}"
        raise refusal(path, message, "save it again", "too-large")


def _loss_in_memory(image: Image.Image, form: Form) -> tuple[str, float] | None:
    """Return the same of an image as Pillow opened it, if its file is known."""
    try:
        size = os.stat(getattr(image, "filename", "")).st_size  # noqa: PTH116  # Pillow knows it as text
    except (OSError, TypeError, ValueError):
        return None
    return _loss(image, form, size)


def _loss(image: Image.Image, form: Form, size: float) -> tuple[str, float] | None:
    """Return method and ratio of a compression with loss, None without."""
    format_name = image.format or ""
    method = _LOSSY.get(format_name)
    if format_name == "TIFF" and image.info.get("compression") in _LOSSY_TIFF:
        method = "ISO_10918_1"
    if method is None:
        return None
    pixels = 1
    for length in form.shape:
        pixels *= length
    return method, max(1.0, round(pixels / max(size, 1), 2))
