"""From a byte source to an array of (slices, rows, columns)."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

from dicomwright.reading import byte_count, refusal
from dicomwright_nifti.sources import MAX_TRAILING, open_source

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from dicomwright_nifti.header import Layout
    from dicomwright_nifti.options import ReadOptions
    from dicomwright_nifti.sources import ByteSource

    Voxels = tuple[NDArray[Any], list[str]]

__all__ = ["load", "load_file"]


def load(source: ByteSource, path: Path, layout: Layout) -> Voxels:
    """Return the voxels, and what to tell the user, of a source that stands before them.

    NIfTI stores columns fastest, so that the bytes are in C order of (slices, rows, columns).

    Raises
    ------
    SourceError
        The source is too large, cut off, damaged, or holds much more than its header declares.

    """
    source.skip(layout.offset - source.position)
    raw = source.voxels(layout.nbytes)
    spare = source.finish()
    if spare > MAX_TRAILING:
        message = (
            f"more than {byte_count(MAX_TRAILING)} follow the {byte_count(layout.nbytes)} of voxels "
            "that its header declares: its dimensions are wrong"
        )
        raise refusal(path, message, "restore the file", "header")
    notes = [f"the {byte_count(spare)} behind the voxels were ignored"] if spare else []
    return raw.view(layout.dtype).reshape(layout.shape), notes


def load_file(path: Path, layout: Layout, limits: ReadOptions) -> Voxels:
    """Return the voxels of a file of their own, as `load` does."""
    with closing(open_source(path)) as source:
        source.admit(layout.offset + layout.nbytes, limits)
        return load(source, path, layout)
