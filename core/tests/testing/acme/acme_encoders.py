"""Encoders and codecs, mostly wrong."""

from __future__ import annotations

import builtins
import itertools
from dataclasses import replace

from dicomwright import Blueprint, FunctionalElement, StaticElement, Volume
from dicomwright.encoders.codecs import NativeCodec as Plain
from dicomwright.encoders.image import ImageEncoder
from dicomwright.errors import SourceError

__all__ = ["Plain", "object"]

object = builtins.object  # noqa: A001


class takes_anything(ImageEncoder):  # noqa: N801
    def encode(self, payload, request):
        options = {key: value for key, value in request.options.items() if key != "near"}
        return super().encode(payload, replace(request, options=options))


class stack(takes_anything):  # noqa: N801
    """Write a stack.

    >>> stack.__name__
    'stack'

    """

    def encode(self, payload, request):
        if request.options.get("near", "0") != "0":
            raise SourceError("near is 0 or nothing")
        return super().encode(payload, request)


class mirrored(stack):  # noqa: N801
    def encode(self, payload, request):
        return super().encode(Volume(payload.array[:, ::-1].copy(), payload.affine), request)


class clips(stack):  # noqa: N801
    def encode(self, payload, request):
        payload.array.clip(0, 5, out=payload.array)
        return super().encode(payload, request)


class counts(stack):  # noqa: N801
    def encode(self, payload, request):
        found, numbers = super().encode(payload, request), itertools.count(1)
        comment = FunctionalElement("ImageComments", "LT", lambda _env: str(next(numbers)))
        return replace(found, defaults=found.defaults + Blueprint([comment]))


class too_few_bits(stack):  # noqa: N801
    def encode(self, payload, request):
        found = super().encode(payload, request)
        bits = Blueprint([StaticElement("BitsStored", "US", 4), StaticElement("HighBit", "US", 3)])
        return replace(found, derived=found.derived + bits)
