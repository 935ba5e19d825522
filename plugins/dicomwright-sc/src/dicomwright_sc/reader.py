"""Pictures as frames."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from dicomwright.payload import Frames
from dicomwright.reading import refusal
from dicomwright_sc.options import ReadOptions
from dicomwright_sc.pages import MAGICS, ImagePages, PicturePages

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["PictureReader"]


class PictureReader:
    """Read a picture: PNG, JPEG, TIFF (all its pages), BMP or PNM.

    Orientation tags are applied, palettes expanded, transparent pixels composited on a background. 16 bit grey
    keeps its 16 bits, 1-bit stays black and white. Resolution (dpi) is not patient space and goes nowhere.

    Examples
    --------
    >>> from PIL import Image
    >>> Image.new("RGBA", (97, 61), (255, 0, 0, 0)).save("card.png")
    >>> frames = PictureReader().read(Path("card.png"), {"background": "black"})
    >>> frames.images[0].shape, frames.warnings  # rows, columns, samples
    ((61, 97, 3), ('transparent pixels were composited on the background #000000',))

    """

    def can_read(self, path: Path, head: bytes) -> bool:  # noqa: ARG002  # content decides
        """Tell whether a file's first bytes are those of a picture."""
        return head.startswith(MAGICS)

    def read(self, path: Path, options: Mapping[str, str]) -> Frames:
        """Return the pages of a file, each decoded when it is asked for.

        Parameters
        ----------
        path : Path
            The file.
        options : Mapping of str to str
            See `ReadOptions`.

        Raises
        ------
        SourceError
            The file is no such picture, is damaged, beyond a limit, or has pixels that secondary capture
            cannot hold: floating point numbers, or colour of 16 bit a sample.

        """
        pages = PicturePages(Path(path), ReadOptions.parse(options))
        return Frames(pages, source=str(path), warnings=pages.notes, content=pages.digest)

    @staticmethod
    def from_image(
        images: Image.Image | Iterable[Image.Image], options: Mapping[str, str] | None = None
    ) -> Frames:
        """Return Pillow images in memory, one or several, as frames.

        Examples
        --------
        >>> from PIL import Image
        >>> PictureReader.from_image(Image.new("L", (97, 61))).images[0].shape
        (61, 97)

        Raises
        ------
        SourceError
            As `read`.

        """
        several: list[Any] = [images] if isinstance(images, Image.Image) else list(images)
        for image in several:
            if not isinstance(image, Image.Image):
                message = f"a {type(image).__name__} is no Pillow image"
                raise refusal("Pillow image", message, "give PIL.Image.Image objects", "source")
        pages = ImagePages(several, ReadOptions.parse(options or {}).background)
        return Frames(pages, source="Pillow image", warnings=pages.notes)
