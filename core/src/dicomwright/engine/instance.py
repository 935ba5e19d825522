"""Instances: the environment that functions see, and the datasets that users see."""

from __future__ import annotations

import copy
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from pydicom.dataelem import RawDataElement, empty_value_for_VR
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.tag import BaseTag, Tag

from dicomwright.blueprint.environment import InstanceEnvironment
from dicomwright.parents.scanner import shared_tag

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from dicomwright.engine.request import BuildRequest

__all__ = ["BuildEnvironment", "InstanceDataset", "raw_elements"]


class BuildEnvironment(InstanceEnvironment):
    """The environment of one instance of a build; images and datasets are made when a function asks for them."""

    def __init__(self, request: BuildRequest, index: int, header: Callable[[], Dataset]) -> None:
        self.request = request
        self.index = index
        self.instance_number = index + 1
        self.total_images = request.count
        self.kwargs = request.kwargs
        self.factory = request.factory
        self._header = header

    @property
    def slope(self) -> float | None:  # type: ignore[override]  # asked by few
        """RescaleSlope of the images."""
        return None if self.request.images is None else self.request.images.slope

    @property
    def intercept(self) -> float | None:  # type: ignore[override]  # asked by few
        """RescaleIntercept of the images."""
        return None if self.request.images is None else self.request.images.intercept

    @property
    def header_dataset(self) -> Dataset:  # type: ignore[override]  # made on demand
        """The elements that are the same in the whole series."""
        return self._header()

    @cached_property
    def image(self) -> Any:
        """The values of this slice."""
        return None if self.request.images is None else _read_only(self.request.images.image(self.index))

    @cached_property
    def scaled_image(self) -> Any:
        """The numbers that this slice is stored as."""
        return (
            None if self.request.images is None else _read_only(self.request.images.scaled_image(self.index))
        )

    @property
    def instance_dataset(self) -> Dataset | None:  # type: ignore[override]  # made on demand
        """The paired parent instance."""
        request = self.request
        parent = None if request.pairs is None else request.pairs[self.index]
        if parent is None or request.parents is None:
            return None
        dataset: Dataset = request.parents[parent]
        return dataset


def _read_only(image: Any) -> Any:
    """Return a view of an array that cannot be changed: it may be the caller's."""
    if isinstance(image, np.ndarray):
        image = image.view()
        image.flags.writeable = False
    return image


class InstanceDataset(Dataset):
    """One instance of a series, an ordinary dataset that reads its pixels when they are asked for.

    It tells its series when somebody looks at or changes an element, so that a changed dataset is written as
    changed.
    """

    def __init__(
        self,
        elements: dict[BaseTag, Any],
        encoding: str | list[str],
        bulk: tuple[BaseTag, Callable[[], RawDataElement]] | None = None,
        touched: Callable[[Dataset], None] | None = None,
    ) -> None:
        super().__init__(elements)
        tag, read = bulk or (None, None)
        object.__setattr__(self, "_bulk", read)
        object.__setattr__(self, "_bulk_tag", tag)
        object.__setattr__(self, "_touched", touched)
        self.set_original_encoding(is_implicit_vr=False, is_little_endian=True, character_encoding=encoding)

    def _load_bulk(self) -> None:
        if self._bulk is not None:
            element = self._bulk()
            object.__setattr__(self, "_bulk", None)
            self._dict[element.tag] = element

    def _touch(self) -> None:
        if self._touched is not None:
            self._touched(self)
            object.__setattr__(self, "_touched", None)

    def __getitem__(self, key: Any) -> Any:
        """Return an element; the first look at one makes the series remember this dataset."""
        if isinstance(key, slice):
            self._load_bulk()
        elif self._bulk is not None and Tag(key) == self._bulk_tag:
            self._load_bulk()
            return super().__getitem__(key)
        self._touch()
        return super().__getitem__(key)

    def __setitem__(self, key: Any, elem: Any) -> None:
        self._touch()
        if self._bulk is not None and Tag(key) == self._bulk_tag:
            object.__setattr__(self, "_bulk", None)
        super().__setitem__(key, elem)

    def __delitem__(self, key: Any) -> None:
        self._touch()
        self._load_bulk()
        super().__delitem__(key)

    def __delattr__(self, name: str) -> None:
        self._touch()
        self._load_bulk()
        super().__delattr__(name)

    def pop(self, *args: Any) -> Any:
        """Remove an element and return it."""
        self._touch()
        self._load_bulk()
        return super().pop(*args)

    def popitem(self) -> Any:
        """Remove the last element and return it with its tag."""
        self._touch()
        self._load_bulk()
        return super().popitem()

    def clear(self) -> None:
        """Remove all elements."""
        self._touch()
        self._load_bulk()
        super().clear()

    def plain(self) -> Dataset:
        """Return the same dataset without ties to its series."""
        self._load_bulk()
        dataset = Dataset(dict(self._dict))
        dataset.set_original_encoding(False, True, self.original_character_set)  # noqa: FBT003  # pydicom's order
        if hasattr(self, "file_meta"):
            dataset.file_meta = self.file_meta
        if hasattr(self, "preamble"):
            dataset.preamble = self.preamble
        return dataset

    def __deepcopy__(self, memo: dict[int, Any] | None) -> Dataset:
        return copy.deepcopy(self.plain(), memo)

    def __reduce__(self) -> Any:
        return _same, (self.plain(),)


def _same(dataset: Dataset) -> Dataset:
    """Return a dataset that was pickled plain."""
    return dataset


def raw_elements(encoded: Iterable[bytes]) -> dict[BaseTag, RawDataElement]:
    """Return encoded elements as pydicom's raw elements, values undecoded."""
    elements: dict[BaseTag, RawDataElement] = {}
    for data in encoded:
        element = raw_element(data)
        elements[element.tag] = element
    return elements


_LONG_VRS = frozenset(
    {b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"}
)


def raw_element(data: bytes) -> RawDataElement:
    """Return one encoded element (explicit VR little endian) as pydicom's raw element."""
    tag, vr, start, empty = _head(data[:6])
    return RawDataElement(tag, vr, len(data) - start, data[start:] or empty, 0, False, True, True)  # noqa: FBT003  # pydicom's order


@lru_cache(maxsize=4096)
def _head(six: bytes) -> tuple[BaseTag, str, int, Any]:
    """Return tag, VR, length of the header and empty value of an element, from its first six bytes."""
    tag = shared_tag(int.from_bytes(six[:2], "little") << 16 | int.from_bytes(six[2:4], "little"))
    vr = six[4:].decode("ascii")
    return tag, vr, 12 if six[4:] in _LONG_VRS else 8, empty_value_for_VR(vr, raw=True)


def file_meta(data: Iterable[bytes]) -> FileMetaDataset:
    """Return encoded file meta elements as a dataset."""
    meta = FileMetaDataset()
    meta._dict.update(raw_elements(data))  # noqa: SLF001  # raw elements have no public way in
    meta.set_original_encoding(False, True)  # noqa: FBT003  # pydicom's order
    return meta
