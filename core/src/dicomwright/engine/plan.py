"""The plan: everything about a series but the pixels, compiled once."""

from __future__ import annotations

import struct
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import dcmwrite

from dicomwright.blueprint.resolution import OMIT
from dicomwright.engine.encoding import encoder_for, long_header
from dicomwright.engine.instance import (
    BuildEnvironment,
    InstanceDataset,
    file_meta,
    raw_element,
    raw_elements,
)
from dicomwright.engine.template import Field, Fixed, Part
from dicomwright.errors import BlueprintError
from dicomwright.uids import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pydicom.dataelem import RawDataElement

    from dicomwright.engine.nodes import Node
    from dicomwright.engine.request import BuildRequest
    from dicomwright.engine.rules import Rule

__all__ = ["Header", "Plan"]

_SOP_CLASS, _SOP_INSTANCE = 0x00080016, 0x00080018
PREAMBLE = b"\0" * 128 + b"DICM"


class Header:
    """All of one instance but its pixels, encoded.

    Attributes
    ----------
    meta : list of bytes
        The elements of the file meta information.
    elements : list of bytes
        The elements of the dataset.

    """

    __slots__ = ("elements", "meta", "sop_instance_uid")

    def __init__(self, meta: list[bytes], elements: list[bytes], sop_instance_uid: str) -> None:
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
        self._uid_bytes = encoder_for(0x00020003, "UI", ())

    @cached_property
    def header_dataset(self) -> Dataset:
        """The elements that are the same in the whole series."""
        constant: dict[Any, Any] = {
            **raw_elements(part.data for part in self.parts if isinstance(part, Fixed))
        }
        dataset = Dataset(constant)
        dataset.set_original_encoding(False, True, self.encodings)  # noqa: FBT003  # pydicom's order
        return dataset

    def environment(self, index: int) -> BuildEnvironment:
        """Return the environment of one instance."""
        return BuildEnvironment(self.request, index, lambda: self.header_dataset)

    def header(self, env: BuildEnvironment) -> Header:
        """Return one instance without its pixels."""
        elements: list[bytes] = []
        uids = dict.fromkeys((_SOP_CLASS, _SOP_INSTANCE), "")
        for part in self.parts:
            if part.tag in uids:
                data, uids[part.tag] = self._identifier(part, env)
            else:
                data = part.encode(env)
            if data:
                elements.append(data)
        return Header(self._meta(uids[_SOP_CLASS], uids[_SOP_INSTANCE], env), elements, uids[_SOP_INSTANCE])

    def bulk_data(self, env: BuildEnvironment) -> tuple[bytes, Any]:
        """Return the header of the bulk element and its data; both empty if there is none."""
        if self.bulk is None or self.bulk.varying is None:
            return b"", b""
        data = memoryview(self.bulk.varying.func(env)).cast("B")
        padded = len(data) + len(data) % 2
        return long_header(int(self.bulk.tag), self.bulk.vr, padded), data

    def dataset(self, index: int, touched: Callable[[Dataset], None] | None = None) -> InstanceDataset:
        """Return one instance as a dataset; its pixels are read when they are asked for."""
        env = self.environment(index)
        header = self.header(env)
        elements: dict[Any, Any] = raw_elements(header.elements)
        bulk = None
        if self.bulk is not None:
            placeholder = raw_element(long_header(int(self.bulk.tag), self.bulk.vr, 0))
            elements[self.bulk.tag] = placeholder

            def bulk() -> RawDataElement:
                head, data = self.bulk_data(env)
                return raw_element(b"".join((head, data, b"\0" * (len(data) % 2))))

        dataset = InstanceDataset(elements, self.encodings, bulk, touched)
        object.__setattr__(dataset, "file_meta", file_meta(header.meta))
        object.__setattr__(dataset, "preamble", b"\0" * 128)
        return dataset

    def _identifier(self, part: Part, env: BuildEnvironment) -> tuple[bytes, str]:
        """Return SOPClassUID or SOPInstanceUID, encoded and as text."""
        if isinstance(part, Field):
            value = part.value(env)
            return (b"", "") if value is OMIT else (part.encode_value(value), str(value))
        data = part.encode(env)
        return data, data[8:].rstrip(b"\0 ").decode("ascii")

    def _meta(self, sop_class_uid: str, sop_instance_uid: str, env: BuildEnvironment) -> list[bytes]:
        """Return the file meta information (PS3.10 section 7.1)."""
        for keyword, uid in (("SOPClassUID", sop_class_uid), ("SOPInstanceUID", sop_instance_uid)):
            if not uid:
                raise BlueprintError(
                    f"{keyword} of instance {env.instance_number} is empty",
                    hint="without it there is no DICOM instance",
                    kind="missing-identifier",
                )
        elements = [
            b"\x02\x00\x01\x00OB\x00\x00\x02\x00\x00\x00\x00\x01",
            self._ui(0x0002, sop_class_uid),
            self._ui(0x0003, sop_instance_uid),
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


def changed_file(dataset: Dataset) -> bytes:
    """Return a dataset that a user changed as a file."""
    stream = DicomBytesIO()
    dcmwrite(stream, dataset, enforce_file_format=True)
    data: bytes = stream.getvalue()
    return data
