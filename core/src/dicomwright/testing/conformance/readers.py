"""The battery for readers."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, cast

import pytest

from dicomwright.errors import DicomwrightError, SourceError
from dicomwright.payload import Document, Frames, Volume
from dicomwright.plugins.protocols import Reader
from dicomwright.plugins.selection import choose_reader
from dicomwright.testing.conformance.base import PluginConformance, refusal_of, snapshot
from dicomwright.testing.work import Job, instance_of, perform, read

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dicomwright.plugins import ReaderSpec, Spec

__all__ = ["ReaderConformance"]

_CUTS = (1, 7, 40)  # in the middle of a header, and in the middle of the data
_CORNER_MM = 0.01
_NOWHERE = ((1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1))
_GARBAGE = bytes(range(255, -1, -1)) * 8


class ReaderConformance(PluginConformance):
    """Asks of a reader all that the core and users rely on.

    Say ``module`` and ``name``, give the fixture ``source``: a small file that the reader takes.

    Attributes
    ----------
    options : mapping of str to str
        Options that the source needs.
    expected : Volume, Frames, Document or None
        What the source holds, if you want it compared; a fixture of that name does, too.
    chosen : bool
        Whether the source's name leads to the reader without its being named.

    """

    kind: ClassVar[str] = "reader"
    options: Mapping[str, str] = {}  # a mapping that nobody changes
    chosen: bool = True

    @pytest.fixture
    def source(self, tmp_path: Path) -> Path:
        """Return a small file that the reader takes."""
        raise NotImplementedError(
            f"{type(self).__name__} needs a fixture `source`, in {tmp_path} for example"
        )

    @pytest.fixture
    def refused(self) -> list[Path]:
        """Return files that the reader must refuse, besides those that the battery makes."""
        return []

    @pytest.fixture
    def job(self, source: Path) -> Job:
        """Return the reading of the source."""
        return self.job_of({"source": str(source), "options": dict(self.options)})

    def another(self, job: Job, folder: Path) -> Job:
        """Return the reading of a copy in another folder, with what is beside it under the same name."""
        source, elsewhere = Path(job.case["source"]), folder / "elsewhere"
        elsewhere.mkdir()
        for file in source.parent.iterdir():
            if file.is_file() and file.name.partition(".")[0] == source.name.partition(".")[0]:
                shutil.copyfile(file, elsewhere / file.name)
        return self.job_of({**job.case, "source": str(elsewhere / source.name)})

    def descriptor_problems(self, spec: Spec) -> Iterator[str]:
        """Yield what is missing in a descriptor."""
        yield from super().descriptor_problems(spec)
        reader = cast("ReaderSpec", spec)
        if not reader.extensions and not reader.magic:
            yield "without extensions and magic bytes it is asked about every file that nobody else knows"

    def test_it_is_a_reader(self) -> None:
        """It has the methods of `dicomwright.plugins.Reader`."""
        reader = instance_of(self.plugin_set, "reader", self.name)
        assert isinstance(reader, Reader), (
            f"{type(reader).__name__} lacks can_read(path, head) or read(path, options)"
        )

    def test_source_leads_to_it(self, source: Path) -> None:
        """The source's name and first bytes lead to this reader, and it takes the file when asked."""
        if self.chosen:
            found, _ = choose_reader(source, self.plugin_set)
            assert found == self.name, f"{source.name} leads to {found}, not to {self.name}"
        reader = instance_of(self.plugin_set, "reader", self.name)
        with source.open("rb") as file:
            head = file.read(4096)
        assert reader.can_read(source, head) is True, (
            f"can_read({source.name}) is not True for its own sample"
        )
        assert reader.can_read(source, b"") in (True, False), (
            "can_read of an empty file is neither True nor False"
        )

    def test_it_reads_its_source(self, job: Job, source: Path, request: pytest.FixtureRequest) -> None:
        """The result is a payload, what it is expected to be, and the source is as before."""
        before = snapshot(source.parent)
        payload = read(job, job.plugin_set())
        assert isinstance(payload, Volume | Frames | Document), (
            f"read() returns a {type(payload).__name__}, not a Volume, Frames or Document"
        )
        assert snapshot(source.parent) == before, "reading changes the source or the files beside it"
        expected = self._expected(request)
        if expected is not None:
            self.compare(payload, expected)

    def _expected(self, request: pytest.FixtureRequest) -> Any:
        """Return what the author expects, by attribute or fixture."""
        try:
            return request.getfixturevalue("expected")
        except pytest.FixtureLookupError:
            return getattr(self, "expected", None)

    def compare(self, payload: Any, expected: Any) -> None:
        """Check that a payload is what was expected: values and places of a volume, bytes of the others."""
        from dicomwright.testing.digests import digest
        from dicomwright.testing.volumes import compare_volumes

        if isinstance(expected, Volume) and isinstance(payload, Volume):
            place, found_place = expected.affine, payload.affine
            assert (place is None) is (found_place is None), "one of the volumes has no place in space"
            match = compare_volumes(
                place.matrix if place else _NOWHERE,
                expected.array * expected.slope + expected.intercept,
                found_place.matrix if found_place else _NOWHERE,
                payload.array * payload.slope + payload.intercept,
            )
            assert not match.reason, f"the volume is not the expected one: {match.reason}"
            assert match.corner_mm <= _CORNER_MM, f"a corner is {match.corner_mm:g} mm off"
            assert match.value_error == 0, f"a value is off by {match.value_error:g}"
            return
        assert digest(payload) == digest(expected), f"{payload!r} is not what was expected: {expected!r}"

    def test_bad_files_are_refused(self, job: Job, source: Path, refused: list[Path], tmp_path: Path) -> None:
        """An empty file, a file of garbage, and those of `refused`: one clear `SourceError` each, nothing written."""
        folder = tmp_path / "refused"
        folder.mkdir()
        bad = {"empty": b"", "garbage": _GARBAGE}
        files = [folder / f"{name}{''.join(source.suffixes)}" for name in bad]
        for file, data in zip(files, bad.values(), strict=True):
            file.write_bytes(data)
        jobs = [
            (file.name, self.job_of({"source": str(file), "options": dict(job.case["options"])}))
            for file in [*files, *refused]
        ]
        self.check_refusals(jobs, SourceError, folder)

    def test_files_that_are_cut_short(self, job: Job, source: Path, tmp_path: Path) -> None:
        """A file that ends early is read or refused; no other error comes of it."""
        data, found = source.read_bytes(), []
        folder = tmp_path / "short"
        folder.mkdir()
        for length in sorted({*_CUTS, len(data) // 2, len(data) - 1}):
            file = folder / source.name
            file.write_bytes(data[:length])
            short = self.job_of({"source": str(file), "options": dict(job.case["options"])})
            told = refusal_of(partial(perform, short), DicomwrightError)
            wrong = [text for text in told if "takes it" not in text]
            found += [
                f"{self.kind} {self.name}, with {length} of {len(data)} bytes: {text}" for text in wrong
            ]
        assert not found, "\n".join(found)
