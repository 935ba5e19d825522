"""What the pages say: rows of the database and of explanations as plain values for the templates."""

from __future__ import annotations

import datetime as dt
import json
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from dicomwright_node.jobs.privacy import redacted, secrets_of
from dicomwright_node.jobs.written import EXPLANATION
from dicomwright_node.store import deliveries, instances

if TYPE_CHECKING:
    from pathlib import Path

    from dicomwright_node.store import Store
    from dicomwright_node.store.records import DeliveryRow, Instance, Job, Output

__all__ = ["InputView", "OutputView", "ago", "clock", "inputs_of", "outputs_of", "visible"]

_HIDDEN = "hidden"
_LARGEST = 8 * 2**20
_MOST_SERIES = 20
#: Values that say nothing of a patient.
_PLAIN = frozenset(
    [
        "Rows",
        "Columns",
        "BitsAllocated",
        "BitsStored",
        "HighBit",
        "PixelRepresentation",
        "SamplesPerPixel",
        "PhotometricInterpretation",
        "RescaleSlope",
        "RescaleIntercept",
        "RescaleType",
        "Modality",
        "SeriesDescription",
        "SeriesNumber",
        "InstanceNumber",
        "PixelSpacing",
        "SliceThickness",
        "SpacingBetweenSlices",
        "ImagePositionPatient",
        "ImageOrientationPatient",
        "ImageType",
        "ConversionType",
        "WindowCenter",
        "WindowWidth",
        "SpecificCharacterSet",
        "TransferSyntaxUID",
        "Manufacturer",
        "ManufacturerModelName",
        "LossyImageCompression",
        "BurnedInAnnotation",
        "SmallestImagePixelValue",
        "LargestImagePixelValue",
        "Units",
        "ImplementationVersionName",
    ]
)


@dataclass(frozen=True, slots=True)
class InputView:
    """One series of one input of a job; the first of an input has the number of its picture."""

    name: str
    picture: int | None
    images: int
    series_uid: str
    description: str
    modality: str


@dataclass(frozen=True, slots=True)
class OutputView:
    """One output of a job, where it goes, and why its tags are as they are."""

    output: Output
    deliveries: tuple[DeliveryRow, ...]
    destinations: tuple[str, ...]
    rows: tuple[dict[str, Any], ...]
    warnings: tuple[str, ...]


def inputs_of(store: Store, job: Job) -> list[InputView]:
    """Return the series of a job by input."""
    found: list[InputView] = []
    for index, (name, many) in enumerate(instances.of_job(store.database, job.id).items()):
        series: dict[str, list[Instance]] = {}
        for one in many:
            series.setdefault(one.series_uid, []).append(one)
        for uid, members in [*series.items()][:_MOST_SERIES]:
            description, modality = _described(store.files.path(members[0].path))
            picture = None if found and found[-1].name == name else index
            found.append(InputView(name, picture, len(members), uid, description, modality))
    return found


def _described(path: Path) -> tuple[str, str]:
    from dicomwright.parents.headers import read_header

    try:
        header = read_header(path).dataset
        return str(header.get("SeriesDescription") or ""), str(header.get("Modality") or "")
    except Exception:  # noqa: BLE001  # hostile bytes raise all kinds of things
        return "", ""


def outputs_of(store: Store, job: Job, *, show_phi: bool) -> list[OutputView]:
    """Return the outputs of a job."""
    rows = deliveries.of_job(store.database, job.id)
    secrets = frozenset() if show_phi else _secrets(store, job)
    found = []
    for output in deliveries.outputs_of_job(store.database, job.id):
        explained = _explanation(store.files.path(output.path))
        found.append(
            OutputView(
                output,
                tuple(row for row in rows if row.output_id == output.id),
                tuple(
                    row.destination if show_phi else redacted(unquote(row.destination), secrets)
                    for row in rows
                    if row.output_id == output.id
                ),
                tuple(_shown(row, show_phi=show_phi) for row in explained.get("rows", ())),
                tuple(explained.get("result", {}).get("warnings", ())),
            )
        )
    return found


def _secrets(store: Store, job: Job) -> frozenset[str]:
    """Return what a path may say of the patient."""
    firsts = (many[0].path for many in instances.of_job(store.database, job.id).values())
    return secrets_of(map(store.files.path, firsts)) | {job.key}


def _explanation(folder: Path) -> dict[str, Any]:
    """Return the explanation beside an output, if there is one."""
    file = folder.with_name(folder.name + EXPLANATION)
    try:
        if file.stat().st_size > _LARGEST:
            return {}
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found


def _shown(row: dict[str, Any], *, show_phi: bool) -> dict[str, Any]:
    """Return a row of an explanation, its value hidden where it may be the patient's."""
    parent = str(row.get("parent", ""))
    shown = row | {"depth": str(row["path"]).count("["), "parent": parent.rpartition("/")[2], "hidden": False}
    if show_phi or not row.get("value"):
        return shown
    is_technical = row["vr"] in ("UI", "SQ") or row["layer"] == "engine" or row["keyword"] in _PLAIN
    is_static = row["level"] == "static" and not parent
    if is_technical or is_static:
        return shown
    return shown | {"value": _HIDDEN, "hidden": True}


def clock(seconds: float | None) -> str:
    """Return a time as text, UTC."""
    if not seconds:
        return ""
    return dt.datetime.fromtimestamp(seconds, dt.UTC).strftime("%Y-%m-%d %H:%M:%S")


def ago(seconds: float) -> str:
    """Return a length of time in one unit.

    Examples
    --------
    >>> ago(3), ago(200), ago(90000)
    ('3 s', '3 min', '25 h')

    """
    for limit, divisor, unit in ((120, 1, "s"), (7200, 60, "min"), (172800, 3600, "h")):
        if seconds < limit:
            return f"{max(0, seconds) // divisor:.0f} {unit}"
    return f"{seconds // 86400:.0f} d"


def visible(text: Any) -> str:
    r"""Return text whose control characters, and those that turn the direction of reading, can be seen.

    Examples
    --------
    >>> visible("a\x07b\u202ec")
    'a\\x07b\\u202ec'

    """
    return "".join(
        one
        if one in "\n\t" or unicodedata.category(one) not in ("Cc", "Cf", "Cs", "Zl", "Zp")
        else ascii(one)[1:-1]
        for one in str(text)
    )
