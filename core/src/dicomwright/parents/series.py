"""A parent series: the DICOM images that an output is derived from."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset

from dicomwright.errors import ParentError, Problem
from dicomwright.parents.checks import check_one_series, entries, locate, numbers, text, value_of
from dicomwright.parents.copying import decoded, fresh_element
from dicomwright.parents.files import Reading, read_files, read_folder
from dicomwright.parents.geometry import lay_out
from dicomwright.parents.pairing import Pairing, pair_by_order, pair_by_position, refuse_pairing
from dicomwright.parents.scanner import shared_tag

if TYPE_CHECKING:
    from pydicom.dataelem import DataElement

    from dicomwright.blueprint.tags import PrivateTag
    from dicomwright.payload.planes import Planes

__all__ = ["ParentSeries"]

_LOSSY_SYNTAXES = frozenset(
    ["1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51", "1.2.840.10008.1.2.4.81"]
    + [f"1.2.840.10008.1.2.4.{number}" for number in range(100, 109)]
)


class ParentSeries(Sequence[Dataset]):
    """One series of one patient, in order along its slice normal, without pixels.

    Examples
    --------
    >>> from pydicom.dataset import Dataset
    >>> image = Dataset()
    >>> image.PatientID, image.InstanceNumber = "42", 1
    >>> series = ParentSeries([image])
    >>> len(series), series.element(0x00100020).value
    (1, '42')

    Parameters
    ----------
    datasets : iterable of Dataset
        In any order. They are not changed.

    Raises
    ------
    ParentError
        With all that is wrong: no data sets; several patients, studies, series, image sizes or orientations;
        an instance given twice; an orientation that is not two unit vectors at right angles.

    Attributes
    ----------
    datasets : tuple of Dataset
        Sorted by the projection of their position on the slice normal; by InstanceNumber (0020,0013) where
        there is no geometry or a data set has several frames; in the given order without that.
    given : tuple of int or None
        For each instance its index among the data sets that were given; None when files were read.
    files : tuple of Path
        Where each comes from, empty when they were given as data sets.
    planes : Planes or None
        Their *distinct* positions: one for each place, also when a time series has several images there.
        None without complete geometry.
    warnings : tuple of str
        Tilt of more than 1 degree, missing slices, uneven spacing, absent geometry, files left out.

    """

    def __init__(self, datasets: Iterable[Dataset]) -> None:
        given: list[Any] = list(datasets)
        wrong = [type(item).__name__ for item in given if not isinstance(item, Dataset)]
        if wrong:
            raise ParentError(
                f"a parent is a {wrong[0]}, not a pydicom Dataset", hint="give data sets or paths"
            )
        self._build(given, (), (), ())

    @classmethod
    def read(cls, source: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]) -> ParentSeries:
        """Read the headers of a folder (and the folders below it), a file, or a list of files.

        Pixel data is never read, so that the transfer syntax does not matter.

        Raises
        ------
        ParentError
            All that is wrong, with the names of the files.

        """
        reading = _reading(source)
        if not reading.headers and not reading.problems:
            raise ParentError("there are no parent files", hint="give a folder or a list of DICOM files")
        series = cls.__new__(cls)
        series._build(  # noqa: SLF001 - the same class
            [header.dataset for header in reading.headers],
            [header.path for header in reading.headers],
            reading.problems,
            reading.warnings,
        )
        return series

    @classmethod
    def of(cls, parents: Any) -> ParentSeries | None:
        """Return a parent series from whatever a caller may have.

        None gives None; a `ParentSeries` itself; a path, a data set, and lists of either are read.

        """
        if parents is None or isinstance(parents, ParentSeries):
            return parents
        if isinstance(parents, Dataset):
            return cls([parents])
        if isinstance(parents, str | os.PathLike):
            return cls.read(parents)
        if not isinstance(parents, Iterable):
            raise ParentError(
                f"a parent series cannot be made from a {type(parents).__name__}",
                hint="give data sets or paths",
            )
        items = list(parents)
        if items and all(isinstance(item, str | os.PathLike) for item in items):
            return cls.read(items)
        return cls(items)

    def _build(
        self,
        datasets: list[Dataset],
        files: Sequence[Path],
        problems: Iterable[Problem],
        warnings: Iterable[str],
    ) -> None:
        problems = list(problems)
        names = _names(files) or [f"data set {index + 1}" for index in range(len(datasets))]
        if not datasets and not problems:
            raise ParentError("the parent series is empty", hint="give at least one data set")
        problems += check_one_series(datasets, names)
        layout = lay_out(datasets, names) if datasets and not problems else None
        problems += layout.problems if layout else ()
        if problems or layout is None:
            raise ParentError.collect(problems)
        self.given: tuple[int, ...] | None = None if files else tuple(layout.order)
        self.datasets: tuple[Dataset, ...] = tuple(datasets[index] for index in layout.order)
        self.files: tuple[Path, ...] = tuple(files[index] for index in layout.order) if files else ()
        self.planes: Planes | None = layout.planes
        self.warnings: tuple[str, ...] = (*warnings, *layout.warnings)
        self._members = layout.members
        self._several = layout.several
        self._names = tuple(names[index] for index in layout.order)

    @property
    def first(self) -> Dataset:
        """The first data set, in order."""
        return self.datasets[0]

    @property
    def lossy(self) -> bool:
        """Whether an image was ever compressed with loss, by its own word or by its encoding."""
        told = {id(element): index for index, element in enumerate(self._entries(0x00282110))}
        return any(text(self.datasets[index], 0x00282110) == "01" for index in told.values()) or any(
            _transfer_syntax(dataset) in _LOSSY_SYNTAXES for dataset in self.datasets
        )

    def __len__(self) -> int:
        """Return the number of instances."""
        return len(self.datasets)

    @overload
    def __getitem__(self, index: int) -> Dataset: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Dataset]: ...
    def __getitem__(self, index: int | slice) -> Dataset | Sequence[Dataset]:
        """Return a data set, in order."""
        return self.datasets[index]

    def __iter__(self) -> Iterator[Dataset]:
        """Iterate in order."""
        return iter(self.datasets)

    def __repr__(self) -> str:
        """Say how many there are and where, and nothing of the patient."""
        where = f", {self.files[0].parent}" if self.files else ""
        return f"<ParentSeries: {len(self)} instances{where}>"

    @property
    def charset(self) -> tuple[str, ...]:
        """The terms of SpecificCharacterSet (0008,0005) of the first instance; empty without it."""
        terms = text(self.first, 0x00080005)
        return tuple(_terms(value_of(self.first, 0x00080005))) if terms else ()

    def element(self, tag: int | PrivateTag, index: int = 0) -> DataElement | None:
        """Return a fresh copy of an element of an instance (the first one), or None if it has none.

        Raises
        ------
        ParentError
            It cannot be decoded.

        """
        dataset = self.datasets[index]
        found = locate(dataset, tag)
        if found is None:
            return None
        little = dataset.original_encoding[1] is not False
        try:
            return fresh_element(decoded(dataset, found), little_endian=little)
        except ParentError as error:
            error.problems = tuple(replace(problem, loc=self._names[index]) for problem in error.problems)
            raise

    def raw_elements(self, tag: int | PrivateTag) -> list[RawDataElement | None]:
        """Return an element of each instance as it was read, None for one without or that somebody has decoded."""
        return [element if isinstance(element, RawDataElement) else None for element in self._entries(tag)]

    def column(self, tag: int | PrivateTag, indices: Iterable[int | None]) -> list[DataElement | None]:
        """Return a fresh copy of an element of each of these instances; None where there is none.

        Instances that share what was read share the copy.

        Raises
        ------
        ParentError
            It cannot be decoded.

        """
        copies: dict[int, DataElement | None] = {}  # by identity of what was read
        raws = self.raw_elements(tag)

        def copy_of(index: int) -> DataElement | None:
            raw = raws[index]
            if raw is None or not self._one_encoding:
                return self.element(tag, index)
            if id(raw) not in copies:
                copies[id(raw)] = self.element(tag, index)
            return copies[id(raw)]

        return [None if index is None else copy_of(index) for index in indices]

    def has_everywhere(self, tag: int | PrivateTag) -> bool:
        """Tell whether every instance has the element."""
        return all(locate(dataset, tag) is not None for dataset in self.datasets)

    def varies(self, tag: int | PrivateTag) -> bool:
        """Tell whether the instances differ in an element: in its value, or in having it at all.

        Raises
        ------
        ParentError
            It cannot be decoded.

        """
        elements = self._entries(tag)
        first = elements[0]
        if elements.count(first) == len(elements):
            return False  # shared, or absent everywhere
        if None in elements:
            return True
        if self._same_bytes(elements):
            return False
        decoded_ones = (self.element(tag, index) for index in range(len(self)))
        values = ((element.VR, element.value) for element in decoded_ones if element is not None)
        first = next(values)
        return any(other != first for other in values)

    def _entries(self, tag: int | PrivateTag) -> list[Any]:
        """Return an element as each data set holds it, or None."""
        if not isinstance(tag, int):
            return entries(self.datasets, tag)
        place = shared_tag(tag)
        return [elements.get(place) for elements in self._held]

    @cached_property
    def _held(self) -> list[Any]:
        """The elements of each data set, without pydicom's ways around them: a build asks for a hundred tags."""
        return [dataset._dict for dataset in self.datasets]  # noqa: SLF001  # the only way to what was read

    def _same_bytes(self, elements: list[Any]) -> bool:
        """Tell whether an element is encoded alike everywhere: the fast answer for nearly all elements."""
        first = elements[0]
        return self._one_encoding and all(
            isinstance(element, RawDataElement) and element.value == first.value and element.VR == first.VR
            for element in elements
        )

    @cached_property
    def _one_encoding(self) -> bool:
        """Whether all files are encoded alike."""
        encodings = {
            (dataset.original_encoding, str(dataset.original_character_set)) for dataset in self.datasets
        }
        return len(encodings) == 1

    def pair(self, planes: Planes | None, count: int) -> Pairing:
        """Find the parent instance of each output slice.

        By position along the normal where both sides have one (normals parallel or antiparallel within
        1 degree; a quarter of the smallest parent spacing apart at most). Without positions, one to one in
        the order of this series when the counts are equal: its order in space, or by distinct
        InstanceNumbers (0020,0013). Never where several parents lie at one place (a time series), nor where
        a parent holds several images without their positions (a mosaic).

        Parameters
        ----------
        planes : Planes or None
            Of the output's slices.
        count : int
            Number of output slices.

        """
        refusal = refuse_pairing(count, self._members, several=self._several)
        if refusal is not None:
            return refusal
        if planes is not None and self.planes is not None:
            thickness = numbers(self.first, 0x00180050, 1)
            return pair_by_position(planes, self.planes, self._members, thickness[0] if thickness else None)
        stack = self.planes is not None and len(self.planes) == len(self)
        instance_numbers = [text(dataset, 0x00200013) for dataset in self.datasets]
        numbered = "" not in instance_numbers and len(set(instance_numbers)) == len(self)
        return pair_by_order(count, len(self), numbered=numbered, sorted_in_space=stack)


def _reading(source: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]) -> Reading:
    if isinstance(source, str | os.PathLike):
        path = Path(source)
        return read_folder(path) if path.is_dir() else read_files([path])
    return read_files(Path(item) for item in source)


def _names(files: Sequence[Path]) -> list[str]:
    """Return the files' names as short as they stay distinct: below their common folder."""
    if len(files) < 2:  # noqa: PLR2004 - nothing in common
        return [str(path) for path in files]
    texts = [str(path.absolute()) for path in files]
    try:
        common = os.path.join(os.path.commonpath(texts), "")  # noqa: PTH118 - text
    except ValueError:  # on different drives
        return [str(path) for path in files]
    return [text.removeprefix(common) for text in texts]


def _terms(charset: Any) -> list[str]:
    return [charset] if isinstance(charset, str) else [str(term) for term in charset or ()]


def _transfer_syntax(dataset: Dataset) -> str:
    meta = getattr(dataset, "file_meta", None)
    return "" if meta is None else text(meta, 0x00020010)
