"""Another transfer syntax for a peer that does not take the file's own: decompressing, or another VR encoding.

Nothing is lost, so that the instance is the same and keeps its UID.
"""

from __future__ import annotations

import math
from typing import IO, TYPE_CHECKING

import numpy as np
from pydicom import dcmread, dcmwrite
from pydicom.dataset import FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian

if TYPE_CHECKING:
    from pathlib import Path

    from pydicom.dataset import Dataset

__all__ = ["LARGEST", "UNCOMPRESSED", "TranscodeError", "transcode"]

#: Bytes of decoded pixels that are made at most.
LARGEST = 2 * 2**30
UNCOMPRESSED = (str(ExplicitVRLittleEndian), str(ImplicitVRLittleEndian))
_UNITS = {"OW": 2, "OF": 4, "OL": 4, "OD": 8, "OV": 8}


class TranscodeError(Exception):
    """A file cannot be written in another transfer syntax."""


def transcode(source: Path, syntax: str, target: IO[bytes]) -> None:
    """Write a file in an uncompressed transfer syntax; values and pixels stay as they are.

    Parameters
    ----------
    source : Path
        A DICOM file in any transfer syntax.
    syntax : str
        One of `UNCOMPRESSED`.
    target : file
        Where to write; it stands at its beginning then.

    Raises
    ------
    TranscodeError
        Nothing here decodes it, or it is too large.

    """
    try:
        dataset = dcmread(source)
        meta = dataset.file_meta
        _to_native(dataset, UID(meta.TransferSyntaxUID))
        dataset.file_meta = meta
        meta.TransferSyntaxUID = UID(syntax)
        dcmwrite(target, dataset, enforce_file_format=True)
        target.flush()
        target.seek(0)
    except (TranscodeError, KeyboardInterrupt):
        raise
    except Exception as error:  # decoders raise anything
        text = str(error).partition("\n")[0].rstrip(": ") or type(error).__name__
        raise TranscodeError(f"{text}; see dicomwright-codecs and python-gdcm") from error


def _to_native(dataset: Dataset, syntax: UID) -> None:
    if not syntax.is_little_endian:
        _swap(dataset)
    if syntax.is_encapsulated:
        _decompress(dataset, syntax)


def _decompress(dataset: Dataset, syntax: UID) -> None:
    """Decompress an image, and those within it such as icons; leave what depends on the compression out."""
    for tag in list(dataset.keys()):
        if dataset.get_item(tag).VR == "SQ":
            for item in dataset[tag].value:
                _decompress(item, syntax)
    if "PixelData" not in dataset or not dataset["PixelData"].is_undefined_length:
        return
    _check_size(dataset)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.decompress(as_rgb=False, generate_instance_uid=False)
    if dataset.PhotometricInterpretation == "YBR_FULL_422":
        dataset.PhotometricInterpretation = "YBR_FULL"  # decoders give each pixel its colour
    for keyword in ("ExtendedOffsetTable", "ExtendedOffsetTableLengths"):
        if keyword in dataset:
            del dataset[keyword]


def _check_size(dataset: Dataset) -> None:
    """Refuse images that would not fit the memory."""
    numbers = ("Rows", "Columns", "SamplesPerPixel", "BitsAllocated", "NumberOfFrames")
    size = math.prod(int(dataset.get(keyword) or 1) for keyword in numbers) // 8
    if size > LARGEST:
        raise TranscodeError(f"its pixels take {size:,} bytes, and at most {LARGEST:,} are decoded")


def _swap(dataset: Dataset) -> None:
    """Turn the bytes of words around, which pydicom leaves as they are in the file."""
    for element in dataset:
        if element.VR == "SQ":
            for item in element.value:
                _swap(item)
        elif element.VR in _UNITS and element.value:
            words = np.frombuffer(element.value, f">u{_UNITS[element.VR]}")
            element.value = words.astype(f"<u{_UNITS[element.VR]}").tobytes()
        elif element.VR == "UN":
            raise TranscodeError(f"{element.tag} has no known VR, so that its bytes cannot be turned around")
