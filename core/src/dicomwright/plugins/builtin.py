"""What the core itself provides, through the same hooks as everybody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dicomwright.plugins.builtin_elements import ELEMENT_TYPES
from dicomwright.plugins.descriptors import (
    CodecSpec,
    EncoderSpec,
    ExecutorSpec,
    FunctionSpec,
    OptionSpec,
    ValidatorSpec,
)
from dicomwright.plugins.hooks import hookimpl

if TYPE_CHECKING:
    from dicomwright.plugins.descriptors import ElementTypeSpec

__all__ = [
    "dicomwright_codecs",
    "dicomwright_element_types",
    "dicomwright_encoders",
    "dicomwright_executors",
    "dicomwright_functions",
    "dicomwright_validators",
]

_SERIES_FUNCTIONS = {
    "uid": "a new UID",
    "today": "the date of the build (DA)",
    "now": "date and time of the build (DT)",
    "time-now": "the time of the build (TM)",
    "software": "name and version of dicomwright",
}
_INSTANCE_FUNCTIONS = {
    "instance-number": "1 for the first instance, 2 for the second, ...",
    "total-images": "the number of instances of the series",
}
_NATIVE = {
    "explicit-le": ("explicit VR little endian, what every program reads", "1.2.840.10008.1.2.1"),
    "implicit-le": ("implicit VR little endian, for very old programs", "1.2.840.10008.1.2"),
    "deflated": ("explicit VR little endian, the whole dataset deflated", "1.2.840.10008.1.2.1.99"),
}


@hookimpl
def dicomwright_codecs() -> list[CodecSpec]:
    """Give the transfer syntaxes that leave the pixels as they are."""
    return [
        CodecSpec(name=name, summary=summary, target="dicomwright.encoders.codecs:NativeCodec", uid=uid)
        for name, (summary, uid) in _NATIVE.items()
    ]


@hookimpl
def dicomwright_element_types() -> list[ElementTypeSpec]:
    """Give the kinds of virtual element of the blueprint language."""
    return list(ELEMENT_TYPES)


@hookimpl
def dicomwright_functions() -> list[FunctionSpec]:
    """Give the named functions."""
    return [
        FunctionSpec(
            name=name,
            summary=summary,
            target=f"dicomwright.bundles.functions:{name.replace('-', '_')}",
            level="series" if name in _SERIES_FUNCTIONS else "instance",
        )
        for name, summary in (_SERIES_FUNCTIONS | _INSTANCE_FUNCTIONS).items()
    ]


@hookimpl
def dicomwright_executors() -> list[ExecutorSpec]:
    """Give the executor that needs nothing but this machine."""
    return [
        ExecutorSpec(
            name="process",
            summary="a new process for each call, with limits of time and memory",
            target="dicomwright.executors:ProcessExecutor",
        )
    ]


@hookimpl
def dicomwright_validators() -> list[ValidatorSpec]:
    """Give the validator that compares files with the standard's tables."""
    return [
        ValidatorSpec(
            name="standard",
            summary="the tables of PS3.3, values, stored range, character set, identifiers and positions",
            target="dicomwright.validate.standard:StandardValidator",
        )
    ]


_IMAGE_OPTIONS = (
    OptionSpec(
        name="slicing",
        summary="auto, native, upright, axial, coronal, sagittal or like-parent",
        default="auto",
    ),
    OptionSpec(name="non_finite", summary="the value that stands for NaN and infinity"),
    OptionSpec(name="quantise", summary="auto; exact refuses any loss; fit never refuses", default="auto"),
    OptionSpec(
        name="shear",
        summary="refuse, or positions: write sheared slices at their exact positions",
        default="refuse",
    ),
)


@hookimpl
def dicomwright_encoders() -> list[EncoderSpec]:
    """Give the encoders of images."""
    return [
        EncoderSpec(
            name="image",
            summary="single-frame images: CT, MR, PET and the like",
            target="dicomwright.encoders.image:ImageEncoder",
            payloads=("Volume",),
            options=_IMAGE_OPTIONS,
        ),
        EncoderSpec(
            name="planar-stack",
            summary="nuclear medicine: a stack of planar images in one instance",
            target="dicomwright.encoders.planar_stack:PlanarStackEncoder",
            payloads=("Volume",),
            sop_classes=("1.2.840.10008.5.1.4.1.1.20",),
            options=_IMAGE_OPTIONS,
        ),
    ]
