"""Builds of a blueprint from made-up data, with a made-up parent series, judged as files."""

from __future__ import annotations

import datetime as dt
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from pydicom.datadict import dictionary_VM
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

from dicomwright.blueprint.blueprint import Blueprint
from dicomwright.blueprint.copying import CopyElement, InstanceCopyElement
from dicomwright.blueprint.elements import IndexElement, KeyedIndexElement, VirtualElement
from dicomwright.blueprint.tags import PrivateTag, to_tag
from dicomwright.blueprint.vr import expected_vrs
from dicomwright.build import Build, BuildOptions, sop_class_of
from dicomwright.bundles.binding import Binding
from dicomwright.bundles.catalog import catalog
from dicomwright.dry_run import encoder_of, stand_in
from dicomwright.errors import DicomwrightError, Problem
from dicomwright.factory import DicomFactory
from dicomwright.payload import Volume
from dicomwright.plugins import load
from dicomwright.standard import iod_of
from dicomwright.validate import validating

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pydicom.tag import BaseTag

    from dicomwright.blueprint.tags import AnyTag
    from dicomwright.engine.instance import InstanceDataset
    from dicomwright.engine.series import Series
    from dicomwright.plugins import PluginSet

__all__ = ["build_synthetic", "sample_value"]

_COUNT = 3
_ROWS, _COLUMNS = 4, 5
_INSTANT = dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)
_FALLBACK = "ct-image"
_DEEPEST = 8
_NO_TAG = PrivateTag(0x0009, "SYNTHETIC", 0x10)
_AFFINE = np.array([[0, 0, 1.5, -7], [0, 2, 0, 3], [3, 0, 0, 11], [0, 0, 0, 1]])
_PATIENT = ("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "StudyID")
_SAMPLES: dict[str, Any] = {
    "AE": "SYNTHETIC",
    "AS": "040Y",
    "AT": 0x00100010,
    "CS": "SYNTHETIC",
    "DA": "20260102",
    "DS": "1",
    "DT": "20260102030405",
    "FD": 1.0,
    "FL": 1.0,
    "IS": "1",
    "PN": "Synthetic^Patient",
    "TM": "030405",
    "UI": "2.25.20260102030405",
    "UR": "urn:synthetic",
    **dict.fromkeys(("LO", "LT", "SH", "ST", "UC", "UT"), "synthetic"),
    **dict.fromkeys(("SL", "SS", "SV", "UL", "US", "UV"), 1),
    **dict.fromkeys(("OB", "OD", "OF", "OL", "OV", "OW", "UN"), b"\0" * 8),
}


def build_synthetic(blueprint: Blueprint, plugin_set: PluginSet) -> tuple[str, list[Problem]]:
    """Build a blueprint, write the files to a temporary folder, and have the core's validator judge them.

    Returns
    -------
    str
        ``"built"``, or ``"linted"`` where no encoder that is installed makes such objects.
    list of Problem
        What stopped a build.

    """
    uid = sop_class_of(blueprint, None)
    encoder = encoder_of(plugin_set, uid)
    count = _count(blueprint)
    kwargs = _kwargs(blueprint, count)
    parents = _parents(blueprint, uid, count)
    problems: list[Problem] = []
    for given in (parents, None):
        if given is None and blueprint.required_tags():
            continue  # it cannot be without
        try:
            payload = _payload(plugin_set, encoder, uid, count)
            series = DicomFactory(plugin_set=plugin_set).build(
                payload, blueprint, given, encoder=encoder, kwargs=kwargs, uids="derived", instant=_INSTANT
            )
            _judge(series, plugin_set)
        except DicomwrightError as error:
            if any(problem.kind == "sop-class" for problem in error.problems):
                return "linted", problems
            how = "with a parent series" if given is not None else "without a parent series"
            problems += [
                Problem(f"{one.message} ({how})", one.hint, one.loc, one.kind)
                for one in error.problems
                if given is not None or one.kind != "no-parent"
            ]
    return "built", problems


def _judge(series: Series, plugin_set: PluginSet) -> None:
    """Write a series where nobody sees it, and have it judged."""
    with tempfile.TemporaryDirectory(prefix="dicomwright-check-") as folder:
        checks = [validating(["standard"], plugin_set=plugin_set)]
        series.write(Path(folder) / "series", fsync=False, checks=checks)


def _payload(plugin_set: PluginSet, encoder: str, uid: str, count: int) -> Any:
    """Return a payload that the encoder takes; a volume has a value of its own in each voxel."""
    payload = stand_in(Build(None, BuildOptions(encoder=encoder), plugin_set), None, uid)
    if not isinstance(payload, Volume) or payload.array.ndim != _COUNT or payload.array.dtype != np.int16:
        return payload
    values = np.arange(count * _ROWS * _COLUMNS, dtype=np.int16).reshape(count, _ROWS, _COLUMNS)
    return Volume(values, _AFFINE)


def _count(blueprint: Blueprint) -> int:
    """Return how many instances to make: as many as a list of values has."""
    lists = [element for element in _all_elements(blueprint) if isinstance(element, IndexElement)]
    return len(lists[0].values) if lists else _COUNT


def _kwargs(blueprint: Blueprint, count: int) -> dict[str, Any]:
    """Return a value for each parameter and list that a build must be given."""
    binding = Binding({})
    binding.bound(blueprint)
    kwargs: dict[str, Any] = {
        name: sample_value(_NO_TAG, parameter.vr) for name, parameter in binding.open.items()
    }
    for element in _all_elements(blueprint):
        if isinstance(element, KeyedIndexElement):
            value = sample_value(element.tag, element.vr or "LO")
            kwargs[element.key] = [value] * count
    return kwargs


def _parents(blueprint: Blueprint, uid: str, count: int) -> list[Dataset]:
    """Return a parent series that has all that the blueprint copies."""
    own = load(enabled=False)
    made = {entry.sop_class_uid: entry.name for entry in catalog() if entry.sop_class_uid}
    name = made.get(uid, _FALLBACK) if encoder_of(own, uid) == "image" else _FALLBACK
    values = np.arange(count * _ROWS * _COLUMNS, dtype=np.int16).reshape(count, _ROWS, _COLUMNS)
    try:
        series = DicomFactory(plugin_set=own).build(
            Volume(values, _AFFINE), Blueprint.load(name), instant=_INSTANT
        )
    except DicomwrightError:  # an object that only a plug-in's encoder makes
        series = DicomFactory(plugin_set=own).build(
            Volume(values, _AFFINE), Blueprint.load(_FALLBACK), instant=_INSTANT
        )
    wanted = [element for element in _all_elements(blueprint) if _is_required(element)]
    return [_completed(cast("InstanceDataset", dataset).plain(), wanted, uid) for dataset in series]


def _completed(dataset: Dataset, wanted: Sequence[VirtualElement], uid: str) -> Dataset:
    """Return a parent instance with a value for each tag that is copied, and a patient."""
    for tag in [*map(to_tag, _PATIENT), *(element.tag for element in wanted)]:
        if not isinstance(tag, PrivateTag) and (tag not in dataset or dataset[tag].is_empty):
            vr = dataset[tag].VR if tag in dataset else (expected_vrs(tag) or ("LO",))[0]
            dataset.add(DataElement(tag, vr, _legal(tag, vr, uid)))
    for element in wanted:
        if isinstance(element.tag, PrivateTag):
            block = dataset.private_block(element.tag.group, element.tag.creator, create=True)
            vr = element.vr or "LO"
            block.add_new(element.tag.offset, vr, sample_value(element.tag, vr))
    return dataset


def _legal(tag: BaseTag, vr: str, uid: str) -> Any:
    """Return a value that the tag may have in objects of a SOP class."""
    found = iod_of(uid)
    for one in () if found is None else found.terms(int(tag)):
        if one.enumerated and one.values and _multiplicity(tag) == 1:
            return one.values[0]
    return sample_value(tag, vr)


def sample_value(tag: AnyTag, vr: str) -> Any:
    """Return a legal value of a VR, as many as the tag has (PS3.6).

    Examples
    --------
    >>> sample_value(to_tag("PixelSpacing"), "DS"), sample_value(to_tag("PatientAge"), "AS")
    (['1', '1'], '040Y')

    """
    if vr == "SQ":
        return [_code()]
    value = _SAMPLES.get(vr, "synthetic")
    count = 1 if isinstance(tag, PrivateTag) else _multiplicity(tag)
    return value if count == 1 else [value] * count


def _multiplicity(tag: BaseTag) -> int:
    """Return the least number of values that a tag may have."""
    try:
        return int(dictionary_VM(tag).partition("-")[0])
    except (KeyError, ValueError):
        return 1


def _code() -> Dataset:
    """Return an item that stands for any."""
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = "1", "99SYNTHETIC", "synthetic"
    return item


def _all_elements(blueprint: Blueprint) -> Iterator[VirtualElement]:
    """Yield the elements of a blueprint, those in items and those behind conditions and defaults, too."""
    for element in blueprint:
        yield from _with_inner(element)


def _is_required(element: VirtualElement) -> bool:
    """Tell whether the parent must have what an element copies."""
    return isinstance(element, InstanceCopyElement) or (
        isinstance(element, CopyElement) and not element.optional
    )


def _with_inner(element: VirtualElement) -> Iterator[VirtualElement]:
    yield element
    yield from _inside(vars(element).values(), _DEEPEST)


def _inside(parts: Iterable[Any], depth: int) -> Iterator[VirtualElement]:
    """Yield the elements that an element holds, such as the other value of a copy, those of plug-ins' kinds, too."""
    for part in parts if depth else ():
        if isinstance(part, VirtualElement):
            yield part
            yield from _inside(vars(part).values(), depth - 1)
        elif isinstance(part, list | tuple | Blueprint):
            yield from _inside(part, depth - 1)
        elif isinstance(part, dict):
            yield from _inside(part.values(), depth - 1)
