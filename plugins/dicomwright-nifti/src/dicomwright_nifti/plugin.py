"""What this distribution provides. Imports nothing heavy: nibabel comes with the first file that is read."""

from __future__ import annotations

from dicomwright.plugins import OptionSpec, ReaderSpec, hookimpl

__all__ = ["NIFTI", "dicomwright_readers"]

#: Where the magic string is: at the end of the NIfTI-1 header, after ``sizeof_hdr`` in the NIfTI-2 header.
#: It is text, so the byte order of the file does not matter.
_MAGIC_OFFSET_1 = 344
_MAGIC_OFFSET_2 = 4

_OPTIONS = {
    "max_bytes": "most bytes that a compressed file may hold, such as 512MiB or 4GiB (default 2GiB)",
    "max_ratio": "most bytes that one compressed byte of a large file may become (default 1000)",
    "orientation": "which matrix places the voxels: auto, sform or qform (default auto)",
    "units": "header: lengths are in the header's unit; mm: they are mm whatever it says (default header)",
}


NIFTI = ReaderSpec(
    name="nifti",
    summary="NIfTI-1 and NIfTI-2 volumes, single files and header/image pairs",
    target="dicomwright_nifti.reader:NiftiReader",
    extensions=(".nii", ".nii.gz", ".hdr", ".img", ".img.gz", ".hdr.gz"),
    magic=(
        (_MAGIC_OFFSET_1, b"n+1\0"),
        (_MAGIC_OFFSET_1, b"ni1\0"),
        (_MAGIC_OFFSET_2, b"n+2\0\r\n\x1a\n"),
        (_MAGIC_OFFSET_2, b"ni2\0\r\n\x1a\n"),
    ),
    options=tuple(OptionSpec(name=name, summary=summary) for name, summary in _OPTIONS.items()),
)


@hookimpl
def dicomwright_readers() -> list[ReaderSpec]:
    """Give the NIfTI reader."""
    return [NIFTI]
