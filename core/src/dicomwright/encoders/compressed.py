"""What compressed pixels change in the elements of an image (PS3.5 section 8.2, PS3.3 C.7.6.1.1.5)."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from pydicom.dataelem import DataElement

from dicomwright.blueprint.elements import BulkElement, DiscardElement, StaticElement, VirtualElement
from dicomwright.blueprint.environment import InstanceEnvironment, SeriesEnvironment
from dicomwright.blueprint.resolution import OMIT, EncodedElement, Level, PerInstance
from dicomwright.blueprint.tags import to_tag
from dicomwright.encoders.codecs import EncapsulatedElement, PixelLayout
from dicomwright.engine.bulk import BulkParts, in_pieces
from dicomwright.engine.rules import merge
from dicomwright.errors import BlueprintError, Problem
from dicomwright.payload import ds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from dicomwright.blueprint.resolution import Resolution
    from dicomwright.encoders.codecs import Compression
    from dicomwright.engine.rules import Layer

__all__ = ["Uncompressed", "compressed_elements", "lossy_elements"]

_RATIO, _METHOD = "LossyImageCompressionRatio", "LossyImageCompressionMethod"


class Uncompressed:
    """The image as it would be without a codec.

    Parameters
    ----------
    layers : iterable of Layer
        What makes its elements.
    count : int
        Number of instances.

    """

    def __init__(self, layers: Iterable[Layer], count: int) -> None:
        self._elements = {rule.tag: rule.element for rule in merge(layers)}
        self._resolved: dict[str, Resolution] = {}
        self._layout: PixelLayout | None = None  # once it is known to be that of all instances
        self.count = count

    def element(self, keyword: str) -> VirtualElement | None:
        """Return what makes an element; None for nothing."""
        return self._elements.get(to_tag(keyword))

    @cached_property
    def bulk(self) -> BulkElement | None:
        """The pixels, if an encoder makes them."""
        element = self.element("PixelData")
        return element if isinstance(element, BulkElement) else None

    def frames(self, index: int) -> Iterator[memoryview]:
        """Yield the frames of an instance, each when it is asked for."""
        assert self.bulk is not None
        value = self.bulk.func(self._environment(index))
        parts = value if isinstance(value, BulkParts) else [memoryview(value).cast("B")]
        return in_pieces(parts, self.layout(index).frame_bytes)

    def layout(self, index: int) -> PixelLayout:
        """Return how the pixels of an instance lie."""
        if self._layout is not None:
            return self._layout
        layout = PixelLayout(
            rows=self._number("Rows", index),
            columns=self._number("Columns", index),
            samples=self._number("SamplesPerPixel", index),
            bits_allocated=self._number("BitsAllocated", index),
            bits_stored=self._number("BitsStored", index),
            signed=self._number("PixelRepresentation", index) == 1,
            photometric="".join(self._texts("PhotometricInterpretation", index)),
            frames=self._number("NumberOfFrames", index, 1),
        )
        if not any(isinstance(value, PerInstance) for value in self._resolved.values()):
            self._layout = layout
        return layout

    def _environment(self, index: int) -> InstanceEnvironment:
        env = InstanceEnvironment(index + 1, total_images=self.count)
        env.index = index  # type: ignore[attr-defined]  # as the environment of a build has it
        return env

    def _number(self, keyword: str, index: int, absent: int = 0) -> int:
        texts = self._texts(keyword, index)
        return int(texts[0]) if texts else absent

    def _texts(self, keyword: str, index: int) -> list[str]:
        """Return the values that an encoder gives."""
        if keyword not in self._resolved:
            element = self.element(keyword)
            env = SeriesEnvironment(total_images=self.count)
            self._resolved[keyword] = OMIT if element is None else element.resolve(env)
        return _values(self._resolved[keyword], self._environment(index))


def compressed_elements(
    name: str, compression: Compression, image: Uncompressed, settings: object
) -> Iterator[VirtualElement]:
    """Give the pixels in fragments, and what describes them."""

    def photometric(env: InstanceEnvironment, _: list[str]) -> list[str]:
        return [compression.photometric(image.layout(env.instance_number - 1))]

    yield _Checked(name, compression, image, photometric)
    yield EncapsulatedElement(compression, (name, settings))


def lossy_elements(compression: Compression, image: Uncompressed) -> Iterator[VirtualElement]:
    """Say that pixels were compressed with loss, after all earlier losses (PS3.3 C.7.6.1.1.5)."""
    if not isinstance(image.element("ImageType"), DiscardElement):
        yield _Remade("ImageType", "CS", [image.element("ImageType")], _derived)
    history = [image.element(_RATIO), image.element(_METHOD)]

    def ratio(env: InstanceEnvironment, ratios: list[str], methods: list[str]) -> list[str]:
        earlier = ratios if len(ratios) == len(methods) else []
        return [*earlier, ds(round(compression.loss(env.instance_number - 1).ratio, 2))]

    def method(_: InstanceEnvironment, ratios: list[str], methods: list[str]) -> list[str]:
        return [*(methods if len(ratios) == len(methods) else []), compression.method]

    yield StaticElement("LossyImageCompression", "CS", "01")
    yield _Remade(_RATIO, "DS", history, ratio, each=True)
    yield _Remade(_METHOD, "CS", history, method)


class _Remade(VirtualElement):
    """What other elements give, changed; instance by instance where they vary, or if asked to."""

    def __init__(
        self,
        keyword: str,
        vr: str,
        given: list[VirtualElement | None],
        change: Callable[..., list[str]],
        *,
        each: bool = False,
    ) -> None:
        super().__init__(keyword, vr)
        self._given = given
        self._change = change
        self._each = each
        self.level = Level.INSTANCE if each else Level.SERIES

    def resolve(self, env: SeriesEnvironment) -> Resolution:
        """Return the changed values."""
        given = [OMIT if element is None else element.resolve(env) for element in self._given]
        if self._each or any(isinstance(each, PerInstance) for each in given):
            return PerInstance(lambda one: self._change(one, *(_values(each, one) for each in given)))
        return self._change(
            InstanceEnvironment(1), *(_values(each, InstanceEnvironment(1)) for each in given)
        )

    def rule(self) -> str:
        """Return the rule in a few words."""
        return "follows from the compression"


class _Checked(_Remade):
    """PhotometricInterpretation of compressed pixels, once it is known that they can be compressed."""

    touches_pixels = True

    def __init__(self, name: str, compression: Compression, image: Uncompressed, change: Any) -> None:
        super().__init__(
            "PhotometricInterpretation", "CS", [image.element("PhotometricInterpretation")], change
        )
        self._name = name
        self._compression = compression
        self._image = image

    def resolve(self, env: SeriesEnvironment) -> Resolution:
        """Refuse pixels that the codec cannot take, and return the values."""
        numbers: dict[PixelLayout, int] = {}
        for index in range(self._image.count):
            numbers.setdefault(self._image.layout(index), index + 1)
        problems = [
            Problem(
                f"image {number} cannot be written as {self._name}: {text}",
                hint="choose another transfer syntax, as deflated",
                kind="transfer-syntax",
            )
            for layout, number in numbers.items()
            for text in self._compression.problems(layout)
        ]
        if problems:
            raise BlueprintError.collect(problems)
        return super().resolve(env)


def _derived(_: InstanceEnvironment, values: list[str]) -> list[str]:
    """Return an ImageType whose pixels are no longer the original ones."""
    return ["DERIVED", *(values[1:] or ["SECONDARY"])]


def _values(given: Resolution, env: InstanceEnvironment) -> list[str]:
    """Return what an element gives for an instance as texts; none for nothing."""
    if isinstance(given, PerInstance):
        known = given.known
        return _values(given.func(env) if known is None else known[env.instance_number - 1], env)
    if isinstance(given, EncodedElement):
        return _values(given[8:].decode("ascii").rstrip(" \0").split("\\"), env)
    if isinstance(given, DataElement):
        return _values(given.value, env)
    if given is None or given is OMIT or given == "":
        return []
    if isinstance(given, str | int | float):
        return [str(given)]
    return [str(value) for value in given]
