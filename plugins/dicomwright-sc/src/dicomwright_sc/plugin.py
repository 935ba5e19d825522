"""What this distribution provides. Imports nothing heavy: Pillow comes with the first picture."""

from __future__ import annotations

from dicomwright.plugins import EncoderSpec, OptionSpec, ReaderSpec, hookimpl

__all__ = ["PICTURE", "dicomwright_encoders", "dicomwright_readers"]

_READER = {
    "background": "the colour behind transparent pixels: white, black, grey or #rrggbb (default white)",
    "max_pixels": "most pixels that a page may have (default 50000000)",
    "max_pages": "most pages that a file may have (default 1000)",
}
_ENCODER = {
    "mode": "single: one instance for each image; multiframe: one instance; auto: as the blueprint's SOP class says, "
    "else single (default auto)",
    "slicing": "of a volume: auto, native, axial, coronal, sagittal or like-parent (default auto)",
    "shear": "of a volume: refuse, or positions: write sheared slices at their exact positions (default refuse)",
    "non_finite": "the value that stands for NaN and infinity",
    "quantise": "auto; exact refuses any loss; fit never refuses (default auto)",
}


PICTURE = ReaderSpec(
    name="picture",
    summary="pictures: PNG, JPEG, TIFF with all its pages, BMP, PNM",
    target="dicomwright_sc.reader:PictureReader",
    extensions=(
        ".png",
        ".jpg",
        ".jpeg",
        ".jpe",
        ".tif",
        ".tiff",
        ".bmp",
        ".dib",
        ".ppm",
        ".pgm",
        ".pbm",
    ),
    magic=(
        (0, b"\x89PNG\r\n\x1a\n"),
        (0, b"\xff\xd8\xff"),
        (0, b"II*\0"),
        (0, b"MM\0*"),
        (0, b"II+\0"),
        (0, b"MM\0+"),
    ),
    media_types=("image/png", "image/jpeg", "image/tiff", "image/bmp", "image/x-portable-anymap"),
    options=tuple(OptionSpec(name=name, summary=summary) for name, summary in _READER.items()),
)


@hookimpl
def dicomwright_readers() -> list[ReaderSpec]:
    """Give the reader of pictures."""
    return [PICTURE]


@hookimpl
def dicomwright_encoders() -> list[EncoderSpec]:
    """Give the encoder of secondary capture."""
    return [
        EncoderSpec(
            name="secondary-capture",
            summary="secondary capture, grey or colour, one image an instance or multi-frame",
            target="dicomwright_sc.encoder:SecondaryCaptureEncoder",
            payloads=("Volume", "Frames"),
            sop_classes=(
                "1.2.840.10008.5.1.4.1.1.7",
                "1.2.840.10008.5.1.4.1.1.7.1",
                "1.2.840.10008.5.1.4.1.1.7.2",
                "1.2.840.10008.5.1.4.1.1.7.3",
                "1.2.840.10008.5.1.4.1.1.7.4",
            ),
            options=tuple(OptionSpec(name=name, summary=summary) for name, summary in _ENCODER.items()),
        )
    ]
