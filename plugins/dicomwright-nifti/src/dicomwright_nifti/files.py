"""Names of the two files of a NIfTI pair."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from dicomwright.reading import refusal

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Pair", "pair_of"]

_GZ: Final = ".gz"


@dataclass(frozen=True, slots=True)
class Pair:
    """The files that a name stands for.

    Attributes
    ----------
    header : Path
        The file that starts with the header.
    images : tuple of Path
        Where the voxels may be if the header says that they are in a second file.

    """

    header: Path
    images: tuple[Path, ...]

    def image(self) -> Path:
        """Return the file with the voxels.

        Raises
        ------
        SourceError
            There is none.

        """
        if not self.images:
            message = "its header says that the voxels are in another file, but it is not named .hdr"
            raise refusal(self.header, message, "rename the pair to .hdr and .img", "header")
        for image in self.images:
            if image.is_file():
                return image
        message = f"the voxels of this pair are missing: there is no {self.images[0].name}"
        raise refusal(self.header, message, "put it beside the header", "unreadable")


def pair_of(path: Path) -> Pair:
    """Return the files that a name stands for; either name of a pair stands for both.

    Examples
    --------
    >>> from pathlib import Path
    >>> pair_of(Path("brain.nii.gz")).images
    ()
    >>> [image.name for image in pair_of(Path("brain.hdr")).images]
    ['brain.img', 'brain.img.gz']

    """
    gz = path.name[-len(_GZ) :] if path.name.lower().endswith(_GZ) else ""
    stem, dot, suffix = path.name.removesuffix(gz).rpartition(".")
    if suffix.lower() == "hdr":
        image = "IMG" if suffix.isupper() else "img"
        return Pair(path, _either(path, stem + dot + image, gz))
    if suffix.lower() == "img":
        header = "HDR" if suffix.isupper() else "hdr"
        for candidate in _either(path, stem + dot + header, gz):
            if candidate.is_file():
                return Pair(candidate, (path,))
    return Pair(path, ())


def _either(path: Path, name: str, gz: str) -> tuple[Path, ...]:
    """Return the plain and the gzip name, the one that is like the given file first."""
    names = (name + gz, name) if gz else (name, name + _GZ)
    return tuple(path.with_name(each) for each in names)
