"""A series: instances that are made when somebody asks for them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from dicomwright.engine.publish import file_name, staged
from dicomwright.engine.write import write_instances

if TYPE_CHECKING:
    import os

    from pydicom import Dataset

    from dicomwright.engine.plan import Plan
    from dicomwright.explain import Explanation
    from dicomwright.parents import ParentSeries

__all__ = ["BuildReport", "Series"]


@dataclass
class BuildReport:
    """What a build says of itself besides its instances.

    Attributes
    ----------
    reader, encoder, codec : dict, optional
        ``name``, ``distribution`` and ``version`` of the plug-ins that did the work.
    warnings : list of str
        What the user should know.
    stored_values : callable
        Returns ``slope, intercept, max_abs_error, lossless``, None where no values are stored.
    bundles : list of dict
        ``name``, ``version`` and ``sha256`` of the bundles that the blueprint was read from.
    filling : list of dict
        What the filling strategy left out, and by which rule.
    seconds : float
        Time spent.
    payload : Any
        What the instances were made from.
    checks : dict
        What the checks of the finished files found.

    """

    reader: dict[str, str] | None = None
    encoder: dict[str, str] | None = None
    codec: dict[str, str] | None = None
    warnings: list[str] = field(default_factory=list)
    stored_values: Callable[[], dict[str, Any] | None] = lambda: None
    bundles: list[dict[str, str]] = field(default_factory=list)
    filling: list[dict[str, str]] = field(default_factory=list)
    seconds: float = 0.0
    payload: Any = None
    checks: dict[str, Any] = field(default_factory=dict)


class Series(Sequence["Dataset"]):
    """The instances of a series, as a sequence of `pydicom.Dataset`.

    Nothing is made before it is asked for: indexing makes one dataset, `write` makes the files. A dataset that
    was changed is written as changed.

    Examples
    --------
    >>> import numpy as np
    >>> from dicomwright import Blueprint, DicomFactory, Volume
    >>> volume = Volume(np.arange(24, dtype=np.int16).reshape(2, 3, 4), np.diag([5.0, 2.0, 1.5, 1.0])[[2, 1, 0, 3]])
    >>> series = DicomFactory().build(volume, Blueprint.load("mr-image"))
    >>> len(series), series[1].Rows, int(series[1].InstanceNumber)
    (2, 3, 2)

    """

    def __init__(self, plan: Plan, report: BuildReport) -> None:
        self._plan = plan
        self._report = report
        self._changed: dict[int, Dataset] = {}
        self._published: dict[str, Any] = {"directory": None, "files": []}

    def __len__(self) -> int:
        return self._plan.count

    @overload
    def __getitem__(self, index: int) -> Dataset: ...
    @overload
    def __getitem__(self, index: slice) -> list[Dataset]: ...
    def __getitem__(self, index: int | slice) -> Dataset | list[Dataset]:
        """Return one instance, or a list of several."""
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        position = range(len(self))[index]
        if position in self._changed:
            return self._changed[position]

        def touched(dataset: Dataset) -> None:
            self._changed[position] = dataset

        return self._plan.dataset(position, touched)

    def write(
        self,
        directory: str | os.PathLike[str],
        jobs: int | None = None,
        overwrite: bool = False,
        *,
        fsync: bool = True,
        progress: Callable[[int], None] | None = None,
        checks: Iterable[Callable[[Sequence[Path]], dict[str, Any]]] = (),
    ) -> list[Path]:
        """Write the instances as ``00001.dcm``, ``00002.dcm``, ... into a folder, all or none.

        Parameters
        ----------
        directory : path
            The folder; it is made. It may exist if it is empty.
        jobs : int, optional
            Number of threads that encode and write; if not given, four where files are synced, else by the size of the
            instances.
        overwrite : bool
            Replace a series that an earlier run wrote into the folder.
        fsync : bool
            Wait until the disk has each file. False is for scratch work.
        progress : callable, optional
            Called with the number of instances that were finished since the last call.
        checks : iterable of callable
            Each is given the finished files before they appear in the folder, and returns what goes into `result`;
            what it raises stops the publication. See `dicomwright.verify.prover` and
            `dicomwright.validate.validating`.

        Returns
        -------
        list of pathlib.Path
            The files, in order of InstanceNumber.

        Raises
        ------
        PublishError
            The folder is not empty, another run writes it, or the disk refuses.
        BlueprintError
            A function of the blueprint raised, or gave a value that is not legal.

        """
        target = Path(directory)
        names = [file_name(number) for number in range(1, len(self) + 1)]
        start = time.perf_counter()
        with staged(target, overwrite=overwrite) as folder:
            write_instances(
                self._plan,
                folder,
                jobs=jobs,
                changed=self._changed,
                fsync=fsync,
                progress=progress,
            )
            for check in checks:
                self._report.checks |= check([folder / name for name in names])
        self._published = {"directory": str(target), "files": names}
        self._report.seconds += time.perf_counter() - start
        return [target / name for name in names]

    @property
    def result(self) -> dict[str, Any]:
        """What was built, as plain data: what ``dicomwright build --json`` prints."""
        report = self._report
        return {
            "series": [self._published | self._identity()],
            "stored_values": report.stored_values(),
            "reader": report.reader,
            "encoder": report.encoder,
            "codec": report.codec,
            "bundles": list(report.bundles),
            "warnings": list(report.warnings),
            "filling": list(report.filling),
            "seconds": round(report.seconds, 3),
        } | report.checks

    @property
    def payload(self) -> Any:
        """What the instances were made from; None where the blueprint encodes by itself."""
        return self._report.payload

    @property
    def parents(self) -> ParentSeries | None:
        """The parent series."""
        return self._plan.request.parents

    @property
    def stored_values(self) -> dict[str, Any] | None:
        """Slope, intercept, largest error and whether anything is lost; None where no values are stored."""
        return self._report.stored_values()

    def explain(self) -> Explanation:
        """Return where each value comes from: rule, level, layer, file and line, parent.

        Examples
        --------
        >>> import numpy as np
        >>> from dicomwright import Blueprint, DicomFactory, Volume
        >>> volume = Volume(np.zeros((2, 3, 4), np.int16), np.diag([5.0, 2.0, 1.5, 1.0])[[2, 1, 0, 3]])
        >>> series = DicomFactory().build(volume, Blueprint.load("mr-image"))
        >>> [row.layer for row in series.explain().of("Rows")]
        ['encoder image']

        """
        from dicomwright.explain import explain_plan  # late: few ask

        return explain_plan(self._plan)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the user should know of this build."""
        return tuple(self._report.warnings)

    def _identity(self) -> dict[str, Any]:
        header = self._plan.header_dataset
        uids = {
            "sop_class_uid": "SOPClassUID",
            "study_instance_uid": "StudyInstanceUID",
            "series_instance_uid": "SeriesInstanceUID",
        }
        return {name: str(header.get(keyword, "")) or None for name, keyword in uids.items()} | {
            "instances": len(self),
        }

    def __repr__(self) -> str:
        return f"<Series of {len(self)} instances>"
