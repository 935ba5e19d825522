"""NIfTI files and nibabel images as volumes."""

from __future__ import annotations

import zlib
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Final

from dicomwright.errors import SourceError
from dicomwright.payload.volume import Volume
from dicomwright.reading import refusal
from dicomwright_nifti.files import pair_of
from dicomwright_nifti.header import (
    HEAD_BYTES,
    LABEL_INTENT,
    Header,
    Layout,
    doubts,
    is_nifti,
    read_header,
    scaling,
    walk_extensions,
)
from dicomwright_nifti.options import ReadOptions
from dicomwright_nifti.sources import GZIP_MAGIC, MAX_TRAILING, open_source
from dicomwright_nifti.space import checked, place
from dicomwright_nifti.voxels import load, load_file

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nibabel.spatialimages import SpatialImage

    from dicomwright_nifti.files import Pair
    from dicomwright_nifti.sources import ByteSource
    from dicomwright_nifti.voxels import Voxels

__all__ = ["NiftiReader"]

MAX_HEADER_FILE: Final = 64 * 1024**2  # of a .hdr file with its extensions


class NiftiReader:
    """Read one NIfTI-1 or NIfTI-2 volume.

    Uncompressed voxels are mapped, never loaded. A gzip stream is decompressed once, to its end, and its
    checksum is checked. Integers stay as stored; scl_slope and scl_inter become the volume's slope and
    intercept.

    Examples
    --------
    >>> import nibabel, numpy, tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = Path(folder.name, "brain.nii.gz")
    >>> nibabel.save(nibabel.Nifti1Image(numpy.zeros((64, 48, 20), "i2"), numpy.diag([1, 2, 3, 1])), path)
    >>> volume = NiftiReader().read(path, {"max_bytes": "4GiB"})
    >>> volume.array.shape, volume.affine.spacing  # (slices, rows, columns), mm
    ((20, 48, 64), (3.0, 2.0, 1.0))
    >>> folder.cleanup()

    """

    def can_read(self, path: Path, head: bytes) -> bool:
        """Tell whether a file's first bytes are those of a NIfTI file, gzip or not."""
        if head.startswith(GZIP_MAGIC):
            try:
                head = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(head, 1024)
            except zlib.error:
                return False
        return is_nifti(head) or _belongs_to_header(path)

    def read(self, path: Path, options: Mapping[str, str]) -> Volume:
        """Return the volume of a `.nii`, `.nii.gz`, `.hdr` or `.img` file.

        Parameters
        ----------
        path : Path
            The file, or either file of a pair.
        options : Mapping of str to str
            See `ReadOptions`.

        Raises
        ------
        SourceError
            The file is damaged, incomplete, too large, not one volume, or has a type or geometry that
            cannot be used.

        """
        chosen = ReadOptions.parse(options)
        path = Path(path)
        pair = pair_of(path)
        with closing(open_source(pair.header)) as source:
            header = read_header(source, pair.header)
            layout = Layout.of(header)
            slope, intercept = scaling(header, colour=layout.colour)
            space = place(header, layout.shape, chosen.orientation, chosen.units)
            affine = checked(space.matrix, pair.header, "affine", "set sform or qform")
            array, notes = _voxels(source, header, layout, pair, chosen)
        return Volume(
            array,
            affine,
            slope=slope,
            intercept=intercept,
            label=header["intent_code"] == LABEL_INTENT,
            source=str(path),
            warnings=(*doubts(header, layout), *space.warnings, *notes),
        )

    @staticmethod
    def from_image(image: SpatialImage, options: Mapping[str, str] | None = None) -> Volume:
        """Return the volume of a nibabel image in memory, or of one that nibabel loaded.

        The voxels of a loaded image come from its file, checked as `read` checks them; its `affine`
        places them, so that the option ``orientation`` does not apply.

        Examples
        --------
        >>> import nibabel, numpy
        >>> image = nibabel.Nifti1Image(numpy.zeros((4, 3, 2), "i2"), numpy.diag([2, 3, 5, 1]))
        >>> NiftiReader.from_image(image).array.shape
        (2, 3, 4)

        Raises
        ------
        SourceError
            As `read`.

        """
        from dicomwright_nifti.images import volume_of_image

        return volume_of_image(image, ReadOptions.parse(options or {}))


def _belongs_to_header(path: Path) -> bool:
    """Tell whether a file is the second of a pair that has a NIfTI header."""
    header = pair_of(path).header
    if header == path:
        return False
    try:
        with closing(open_source(header)) as source:
            return is_nifti(source.read(HEAD_BYTES))
    except SourceError:
        return False


def _voxels(source: ByteSource, header: Header, layout: Layout, pair: Pair, limits: ReadOptions) -> Voxels:
    """Return the voxels behind the header or in the other file of the pair."""
    if header.single:
        source.admit(layout.offset + layout.nbytes, limits)
        walk_extensions(source, header, layout.offset)
        return load(source, pair.header, layout)
    walk_extensions(source, header, MAX_HEADER_FILE)
    if source.finish() > MAX_TRAILING:
        message = "it says that it is a header, but far more follows"
        raise refusal(pair.header, message, "name the .hdr file of the pair", "header")
    return load_file(pair.image(), layout, limits)
