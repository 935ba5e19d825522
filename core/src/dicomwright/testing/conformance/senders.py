"""The battery for senders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, cast

import pytest

from dicomwright.errors import DeliveryError
from dicomwright.plugins.options import complete_options
from dicomwright.plugins.protocols import Delivery, Sender
from dicomwright.testing.conformance.base import PluginConformance, snapshot
from dicomwright.testing.work import Job, instance_of, sample_files

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from dicomwright.plugins import ReaderSpec, SenderSpec, Spec

__all__ = ["SenderConformance"]

_STATES = ("stored", "pending", "warning", "refused", "unknown")


class SenderConformance(PluginConformance):
    """Asks of a sender all that the core and users rely on.

    Say ``module`` and ``name``; give the fixtures ``destination``, a URL on this machine where files are taken, and
    ``unreachable``, one where nobody listens.

    Attributes
    ----------
    options : mapping of str to str
        Options that the destination needs.
    malformed : tuple of str
        Destinations that are written wrongly.

    """

    kind: ClassVar[str] = "sender"
    loopback: ClassVar[bool] = True
    may_write: ClassVar[bool] = True
    options: Mapping[str, str] = {}  # a mapping that nobody changes
    malformed: tuple[str, ...] = ()

    @pytest.fixture
    def destination(self) -> str:
        """Return a URL on this machine where files are taken."""
        raise NotImplementedError(f"{type(self).__name__} needs a fixture `destination`, a URL on 127.0.0.1")

    @pytest.fixture
    def unreachable(self) -> str:
        """Return a URL where nobody listens."""
        raise NotImplementedError(
            f"{type(self).__name__} needs a fixture `unreachable`, a URL where nobody listens"
        )

    @pytest.fixture
    def files(self, tmp_path: Path) -> list[Path]:
        """Return the files that are sent: a small MR series."""
        return sample_files(tmp_path / "files")

    @pytest.fixture
    def job(self, files: list[Path], destination: str) -> Job:
        """Return the sending of the files."""
        names = [str(file) for file in files]
        return self.job_of({"files": names, "destination": destination, "options": dict(self.options)})

    def descriptor_problems(self, spec: Spec) -> Iterator[str]:
        """Yield what is missing in a descriptor."""
        yield from super().descriptor_problems(spec)
        if not cast("SenderSpec", spec).schemes:
            yield "without schemes no destination leads to it"

    def send(self, files: list[Path], destination: str) -> list[Any]:
        """Return what became of files."""
        options = complete_options(cast("ReaderSpec", self.spec), self.options)
        return list(instance_of(self.plugin_set, "sender", self.name).send(files, destination, options))

    def test_it_is_a_sender(self) -> None:
        """It has the method of `dicomwright.plugins.Sender`."""
        sender = instance_of(self.plugin_set, "sender", self.name)
        assert isinstance(sender, Sender), f"{type(sender).__name__} lacks send(files, destination, options)"

    def test_each_file_is_answered_once(self, files: list[Path], destination: str) -> None:
        """One `Delivery` a file, stored; the files are as before, and nothing is beside them."""
        before = snapshot(files[0].parent)
        found = self.send(files, destination)
        assert all(isinstance(one, Delivery) for one in found), f"it gives {found}, not Delivery"
        assert sorted(one.file for one in found) == sorted(files), "it does not answer for each file once"
        states = {one.state for one in found}
        assert states <= {"stored", "warning"}, (
            f"files that are taken are {states}: {[one.message for one in found]}"
        )
        assert snapshot(files[0].parent) == before, "it changes the files, or leaves others beside them"

    def test_nobody_listens(self, files: list[Path], unreachable: str) -> None:
        """Files that nobody takes are told as unknown or refused, with a reason, or as one `DeliveryError`."""
        try:
            found = self.send(files, unreachable)
        except DeliveryError:
            return
        except BaseException as error:
            raise AssertionError(f"where nobody listens it raises {type(error).__name__}: {error}") from error
        assert not {one.state for one in found} & {"stored", "warning"}, "it says stored where nobody listens"
        assert all(one.state in _STATES for one in found), f"a state is none of {_STATES}"
        assert all(one.message or one.status for one in found), "it does not say why a file was not taken"

    def test_malformed_destinations_are_refused(self, files: list[Path]) -> None:
        """A destination that is written wrongly is a `DeliveryError`."""
        assert self.malformed, (
            f"{type(self).__name__} needs `malformed`, destinations that are written wrongly"
        )
        for destination in self.malformed:
            try:
                found = self.send(files, destination)
            except DeliveryError:
                continue
            except BaseException as error:
                raise AssertionError(f"{destination!r} raises {type(error).__name__}: {error}") from error
            raise AssertionError(f"{destination!r} is taken: {found}")
