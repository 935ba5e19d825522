"""What this distribution provides. Imports nothing heavy: a codec is loaded when a build asks for it."""

from __future__ import annotations

from dicomwright.plugins import CodecSpec, OptionSpec, hookimpl

__all__ = ["dicomwright_codecs"]

_TARGET = "dicomwright_codecs.codec:ImageCodec"
_NEAR = OptionSpec(name="near", summary="largest error of a stored number (default 2)")
_RATIO = OptionSpec(name="ratio", summary="bytes before / bytes after that are aimed at (default 10)")
_PSNR = OptionSpec(
    name="psnr", summary="instead of a ratio: peak signal-to-noise ratio in dB that is aimed at"
)
_STEP = OptionSpec(name="step", summary="quantisation step, relative to the range of values (default 0.0005)")

#: Name, summary, UID, and the options of those that lose something.
_CODECS = (
    ("rle", "RLE Lossless", "1.2.840.10008.1.2.5", ()),
    ("jpeg-ls", "JPEG-LS Lossless", "1.2.840.10008.1.2.4.80", ()),
    ("jpeg-ls-near", "JPEG-LS Near-lossless, with a bound for the error", "1.2.840.10008.1.2.4.81", (_NEAR,)),
    ("jpeg2000-lossless", "JPEG 2000, lossless only", "1.2.840.10008.1.2.4.90", ()),
    ("jpeg2000", "JPEG 2000, with loss", "1.2.840.10008.1.2.4.91", (_RATIO, _PSNR)),
    ("htj2k-lossless", "High-Throughput JPEG 2000, lossless only", "1.2.840.10008.1.2.4.201", ()),
    (
        "htj2k-lossless-rpcl",
        "High-Throughput JPEG 2000, lossless only, by resolution",
        "1.2.840.10008.1.2.4.202",
        (),
    ),
    ("htj2k", "High-Throughput JPEG 2000, with loss", "1.2.840.10008.1.2.4.203", (_STEP,)),
)


@hookimpl
def dicomwright_codecs() -> list[CodecSpec]:
    """Give the codecs."""
    return [
        CodecSpec(name=name, summary=summary, target=_TARGET, uid=uid, lossy=bool(options), options=options)
        for name, summary, uid, options in _CODECS
    ]
