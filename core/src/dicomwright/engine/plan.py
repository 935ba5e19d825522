"""The plan: everything about a series but the pixels, compiled once."""

from __future__ import annotations

import struct
from contextlib import nullcontext
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import dcmwrite

from dicomwright.clock import frozen_instant
from dicomwright.engine.bulk import BulkParts
from dicomwright.engine.encoding import encoder_for, long_header
from dicomwright.engine.file_form import UNDEFINED
from dicomwright.engine.instance import (
    BuildEnvironment,
    InstanceDataset,
    file_meta,
    raw_element,
)
from dicomwright.engine.template import Fixed, Part
from dicomwright.errors import BlueprintError
from dicomwright.uids import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from contextlib import AbstractContextManager

    from pydicom.dataelem import RawDataElement

    from dicomwright.engine.nodes import Node
    from dicomwright.engine.request import BuildRequest
    from dicomwright.engine.rules import Rule

__all__ = ["Header", "Plan"]

_SOP_CLASS, _SOP_INSTANCE = 0x00080016, 0x00080018
_UI_HEADER = 8
PREAMBLE = b"\0" * 128 + b"DICM"


class Header:
    """All of one instance but its pixels, encoded.

    Attributes
    ----------
    meta : list of bytes
        The elements of the file meta information.
    elements : list of bytes
        The elements of the dataset, several joined where they are the same in all instances; some empty.
    sop_instance_uid : bytes
        The value of SOPInstanceUID, padded.

    """

    __slots__ = ("elements", "meta", "sop_instance_uid")

    def __init__(self, meta: list[bytes], elements: list[bytes], sop_instance_uid: bytes) -> None:
        self.meta = meta
        self.elements = elements
        self.sop_instance_uid = sop_instance_uid

    def join(self) -> bytes:
        """Return the start of the file, up to the pixels."""
        return b"".join((PREAMBLE, *self.meta, *self.elements))


class Plan:
    """Makes the instances of a series.

    Parameters
    ----------
    request : BuildRequest
        What was asked for.
    rules : list of Rule
        One rule a tag.
    parts : sequence of Part
        The elements in tag order, without the bulk element.
    bulk : Node, optional
        The bulk element.
    encodings : str or list of str
        Python's names of the character sets.
    warnings : tuple of str
        What the user should know.

    """

    def __init__(
        self,
        request: BuildRequest,
        rules: list[Rule],
        parts: Sequence[Part],
        bulk: Node | None,
        encodings: str | list[str],
        warnings: tuple[str, ...] = (),
    ) -> None:
        self.request = request
        self.rules = rules
        self.parts = parts
        self.bulk = bulk
        self.encodings = encodings
        self.warnings = warnings
        self.count = request.count
        joined = _joined(parts)
        self._constant_parts = [part.data if isinstance(part, Fixed) else b"" for part in joined]
        self._varying_parts = [
            (place, part) for place, part in enumerate(joined) if not isinstance(part, Fixed)
        ]
        self._identity = _identity(joined)

    @cached_property
    def header_dataset(self) -> Dataset:
        """The elements that are the same in the whole series."""
        constant: dict[Any, Any] = {element.tag: element for element in self._constants.values()}
        dataset = Dataset(constant)
        dataset.set_original_encoding(False, True, self.encodings)  # noqa: FBT003  # pydicom's order
        return dataset

    def environment(self, index: int) -> BuildEnvironment:
        """Return the environment of one instance."""
        return BuildEnvironment(self.request, index, self._constant_dataset)

    def _constant_dataset(self) -> Dataset:
        return self.header_dataset

    def headers(self, indices: Iterable[int]) -> list[Header]:
        """Return instances without their pixels; their functions are asked in this order."""
        with self.request.uids.at(""), frozen_instant(self.request.instant):
            return [self._header(self.environment(index)) for index in indices]

    def _header(self, env: BuildEnvironment) -> Header:
        elements = self._constant_parts.copy()
        for place, part in self._varying_parts:
            elements[place] = part.encode(env)
        return self._with_meta(elements, self._identity, env)

    def _with_meta(self, elements: list[bytes], identity: tuple[int, int], env: BuildEnvironment) -> Header:
        sop_class, sop_instance = (elements[place] for place in identity)
        return Header(self._meta(sop_class, sop_instance, env), elements, sop_instance[_UI_HEADER:])

    def bulk_data(self, env: BuildEnvironment) -> tuple[bytes, Any]:
        """Return the header of the bulk element and its data, perhaps as `BulkParts`; both empty if there is none."""
        if self.bulk is None or self.bulk.varying is None:
            return b"", b""
        value = self.bulk.varying.func(env)
        data = value if isinstance(value, BulkParts) else memoryview(value).cast("B")
        length = UNDEFINED if self._encapsulated else len(data) + len(data) % 2
        return long_header(int(self.bulk.tag), self.bulk.vr, length), data

    def session(self, jobs: int | None, indices: Sequence[int]) -> AbstractContextManager[None]:
        """Surround the writing of instances: see `dicomwright.encoders.codecs.Compression.session`."""
        session = None if self.bulk is None else getattr(self.bulk.rule.element, "session", None)
        return nullcontext() if session is None else session(jobs, indices)

    def dataset(self, index: int, touched: Callable[[Dataset], None] | None = None) -> InstanceDataset:
        """Return one instance as a dataset; its pixels are read when they are asked for."""
        env = self.environment(index)
        with self.request.uids.at(""), frozen_instant(self.request.instant):
            encoded = [part.encode(env) for part in self.parts]
        header = self._with_meta(encoded, _identity(self.parts), env)
        elements: dict[Any, Any] = {}
        for part, data in zip(self.parts, header.elements, strict=True):
            if data:
                element = self._constants.get(part.tag) or raw_element(data)
                elements[element.tag] = element
        bulk = None
        if self.bulk is not None:
            elements[self.bulk.tag] = raw_element(long_header(int(self.bulk.tag), self.bulk.vr, 0))
            bulk = self.bulk.tag, lambda: self._bulk_element(env)
        dataset = InstanceDataset(elements, self.encodings, bulk, touched)
        object.__setattr__(dataset, "file_meta", file_meta(header.meta))
        object.__setattr__(dataset, "preamble", b"\0" * 128)
        return dataset

    def _bulk_element(self, env: BuildEnvironment) -> RawDataElement:
        head, data = self.bulk_data(env)
        parts = data if isinstance(data, BulkParts) else (data,)
        element = raw_element(b"".join((head, *parts, b"\0" * (len(data) % 2))))
        return element._replace(length=UNDEFINED) if self._encapsulated else element

    @property
    def _encapsulated(self) -> bool:
        """Whether the bulk element holds fragments."""
        return self.bulk is not None and getattr(self.bulk.rule.element, "encapsulated", False)

    @cached_property
    def _constants(self) -> dict[int, RawDataElement]:
        """The elements that are the same in all instances, as pydicom's raw elements."""
        return {part.tag: raw_element(part.data) for part in self.parts if isinstance(part, Fixed)}

    def _meta(self, sop_class: bytes, sop_instance: bytes, env: BuildEnvironment) -> list[bytes]:
        """Return the file meta information (PS3.10 section 7.1), given the encoded identifiers."""
        for keyword, data in (("SOPClassUID", sop_class), ("SOPInstanceUID", sop_instance)):
            if len(data) <= _UI_HEADER:
                raise BlueprintError(
                    f"{keyword} of instance {env.instance_number} is empty",
                    hint="without it there is no DICOM instance",
                    kind="missing-identifier",
                )
        elements = [
            b"\x02\x00\x01\x00OB\x00\x00\x02\x00\x00\x00\x00\x01",
            b"\x02\x00\x02\x00" + sop_class[4:],
            b"\x02\x00\x03\x00" + sop_instance[4:],
            *self._fixed_meta,
        ]
        length = struct.pack("<I", sum(map(len, elements)))
        return [b"\x02\x00\x00\x00UL\x04\x00" + length, *elements]

    @cached_property
    def _fixed_meta(self) -> list[bytes]:
        """The elements of the file meta information that are the same in every file."""
        return [
            self._ui(0x0010, self.request.transfer_syntax_uid),
            self._ui(0x0012, IMPLEMENTATION_CLASS_UID),
            encoder_for(0x00020013, "SH", ())(IMPLEMENTATION_VERSION_NAME),
        ]

    def _ui(self, element: int, uid: str) -> bytes:
        return encoder_for(0x00020000 | element, "UI", ())(uid)


def _joined(parts: Sequence[Part]) -> list[Part]:
    """Return the parts with neighbours that are the same in all instances joined, except the identifiers."""
    joined: list[Part] = []
    for part in parts:
        last = joined[-1] if joined else None
        if isinstance(part, Fixed) and isinstance(last, Fixed) and last.tag > _SOP_INSTANCE:
            joined[-1] = Fixed(last.tag, last.data + part.data)
        else:
            joined.append(part)
    return joined


def _identity(parts: Sequence[Part]) -> tuple[int, int]:
    """Return where SOP class and SOP instance UID are; every plan has them."""
    tags = [part.tag for part in parts]
    return tags.index(_SOP_CLASS), tags.index(_SOP_INSTANCE)


def changed_file(dataset: Dataset) -> bytes:
    """Return a dataset that a user changed as a file."""
    stream = DicomBytesIO()
    dcmwrite(stream, dataset, enforce_file_format=True)
    data: bytes = stream.getvalue()
    return data
