"""What the files of a series have in common, and where they lie."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dicomwright.validate.api import Complaint

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from pydicom.dataset import Dataset

__all__ = ["Summary", "series_complaints"]

_PATIENT = ("PatientID", "PatientName", "PatientBirthDate", "PatientSex", "IssuerOfPatientID")
_STUDY = ("StudyDate", "StudyTime", "StudyID", "AccessionNumber", "ReferringPhysicianName")
_SERIES = ("StudyInstanceUID", "Modality", "FrameOfReferenceUID", "SeriesNumber", "SOPClassUID")
_KEPT = ("SOPInstanceUID", "SeriesInstanceUID", "InstanceNumber", *_PATIENT, *_STUDY, *_SERIES)
_TURNED = 1e-4
_SAME_PLACE_MM = 1e-3
_UNEVEN_RELATIVE, _UNEVEN_MM = 1e-3, 2e-3
_ASKEW = 1e-3
_ASIDE_MM = 0.1
_FEW = 3


@dataclass(frozen=True, slots=True)
class Summary:
    """What is kept of a file to compare it with others."""

    path: Path
    values: dict[str, str]
    position: tuple[float, ...] | None
    orientation: tuple[float, ...] | None
    several: bool = False

    @classmethod
    def of(cls, path: Path, dataset: Dataset) -> Summary:
        """Return the summary of a dataset."""
        values = {name: str(dataset[name].value or "") for name in _KEPT if name in dataset}
        return cls(
            path,
            values,
            _numbers(dataset.get("ImagePositionPatient"), 3),
            _numbers(dataset.get("ImageOrientationPatient"), 6),
            any(
                name in dataset
                for name in ("TemporalPositionIdentifier", "NumberOfTemporalPositions", "EchoNumbers")
            ),
        )


def series_complaints(summaries: Sequence[Summary]) -> Iterator[Complaint]:
    """Yield what is wrong with files together."""
    uids = Counter(summary.values.get("SOPInstanceUID", "") for summary in summaries)
    for summary in summaries:
        uid = summary.values.get("SOPInstanceUID", "")
        if uid and uids[uid] > 1:
            yield Complaint("error", f"SOPInstanceUID {uid} is that of {uids[uid]} files", summary.path)
    yield from _differing(summaries, "StudyInstanceUID", (*_PATIENT, *_STUDY), "study")
    yield from _differing(summaries, "SeriesInstanceUID", _SERIES, "series")
    for summary in summaries:
        yield from _askew(summary)
    for group in _grouped(summaries, "SeriesInstanceUID").values():
        yield from _in_space(group)


def _grouped(summaries: Iterable[Summary], keyword: str) -> dict[str, list[Summary]]:
    groups: dict[str, list[Summary]] = defaultdict(list)
    for summary in summaries:
        groups[summary.values.get(keyword, "")].append(summary)
    return groups


def _differing(
    summaries: Sequence[Summary], key: str, keywords: tuple[str, ...], what: str
) -> Iterator[Complaint]:
    """Yield attributes of a patient, study or series that are not the same in its files."""
    for uid, group in _grouped(summaries, key).items():
        for keyword in keywords:
            counts = Counter(summary.values.get(keyword, "") for summary in group)
            if uid and len(counts) > 1:
                usual = counts.most_common(1)[0][0]
                odd = [summary for summary in group if summary.values.get(keyword, "") != usual]
                names = ", ".join(summary.path.name for summary in odd[:_FEW])
                yield Complaint(
                    "error",
                    f"{keyword} is not the same in the {len(group)} files of one {what}: {names} differ",
                )


def _in_space(group: Sequence[Summary]) -> Iterator[Complaint]:
    """Yield what is wrong with the positions of a series along its normal."""
    placed = [one for one in group if one.position is not None and one.orientation is not None]
    if len(placed) < 2:  # noqa: PLR2004 - one slice has no neighbour
        return
    orientations = np.array([one.orientation for one in placed])
    if np.abs(orientations - orientations[0]).max() > _TURNED:
        yield Complaint("warning", "the images of the series are not parallel")
        return
    normal = np.cross(orientations[0][:3], orientations[0][3:])
    positions = np.array([one.position for one in placed])
    places = positions @ normal
    order = np.argsort(places, kind="stable")
    gaps = np.diff(places[order])
    same = int((gaps < _SAME_PLACE_MM).sum())
    if same:
        severity = "note" if any(one.several for one in placed) else "warning"
        yield Complaint(severity, f"{same} images of the series lie at the place of another")  # type: ignore[arg-type]  # two of the words
        return
    if gaps.max() - gaps.min() > max(_UNEVEN_MM, _UNEVEN_RELATIVE * gaps.max()):
        after = placed[int(order[int(np.argmax(gaps))])].path.name
        yield Complaint(
            "warning",
            f"the gaps between the slices run from {gaps.min():.4g} to {gaps.max():.4g} mm, the largest after {after}",
        )
    yield from _beside_the_others(placed, positions[order], places[order], order)
    numbers = [int(placed[index].values.get("InstanceNumber") or 0) for index in order]
    if len(set(numbers)) == len(numbers) and numbers not in (sorted(numbers), sorted(numbers, reverse=True)):
        yield Complaint("warning", "InstanceNumber (0020,0013) does not follow the slices along their normal")


def _askew(summary: Summary) -> Iterator[Complaint]:
    """Yield an orientation that is not two unit vectors at right angles (PS3.3 C.7.6.2.1.1)."""
    if summary.orientation is None:
        return
    row, column = np.array(summary.orientation).reshape(2, 3)
    wrong = max(abs(row @ row - 1), abs(column @ column - 1), abs(row @ column))
    if wrong > _ASKEW:
        yield Complaint(
            "error",
            "ImageOrientationPatient (0020,0037) is not two unit vectors at right angles (PS3.3 C.7.6.2.1.1)",
            summary.path,
        )


def _beside_the_others(
    placed: Sequence[Summary], positions: Any, places: Any, order: Any
) -> Iterator[Complaint]:
    """Yield the slice that lies farthest beside the line through its neighbours, if that is far."""
    if len(placed) < 3:  # noqa: PLR2004 - two slices are always on a line
        return
    line = np.array([np.polyfit(places, positions[:, axis], 1) for axis in range(3)])
    aside = np.linalg.norm(positions - (np.outer(places, line[:, 0]) + line[:, 1]), axis=1)
    worst = int(np.argmax(aside))
    if aside[worst] > _ASIDE_MM:
        name = placed[int(order[worst])].path.name
        yield Complaint(
            "warning", f"the slices do not lie on one line: {name} is {aside[worst]:.3g} mm beside it"
        )


def _numbers(value: Any, count: int) -> tuple[float, ...] | None:
    """Return numbers of a multi-valued element, None if it is not that many."""
    try:
        numbers = tuple(float(one) for one in value or ())
    except (TypeError, ValueError):
        return None
    return numbers if len(numbers) == count and np.isfinite(numbers).all() else None
