"""The battery for executors."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from dicomwright.errors import ExecutionError
from dicomwright.plugins.protocols import Executor
from dicomwright.testing import calls
from dicomwright.testing.conformance.base import PluginConformance
from dicomwright.testing.work import Job, instance_of

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["ExecutorConformance"]

_BIG = 1 << 30
_LIMIT = 600 << 20


class ExecutorConformance(PluginConformance):
    """Asks of an executor all that the core and users rely on. Say ``module`` and ``name``.

    Attributes
    ----------
    seconds : float
        More than a call takes that does nothing.
    limits_memory : bool
        Whether it can limit memory.

    """

    kind: ClassVar[str] = "executor"
    seconds: float = 60.0
    limits_memory: bool = True

    @pytest.fixture
    def job(self) -> Job:
        """Return one call."""
        return self.job_of({"call": (calls.add, (3, 4.5)), "seconds": self.seconds})

    def run(
        self, function: Any, *arguments: Any, seconds: float | None = None, memory: int | None = None
    ) -> Any:
        """Call a function by the executor."""
        executor = instance_of(self.plugin_set, "executor", self.name)
        return executor.run(function, arguments, seconds=seconds or self.seconds, memory=memory)

    def failure(self, function: Any, *arguments: Any, **limits: Any) -> ExecutionError:
        """Return the error of a call that cannot succeed."""
        try:
            result = self.run(function, *arguments, **limits)
        except ExecutionError as error:
            return error
        except BaseException as error:
            raise AssertionError(
                f"{function.__name__} raises {type(error).__name__}, not ExecutionError"
            ) from error
        raise AssertionError(f"{function.__name__} returns {result!r}, and ought to fail")

    def kind_of(self, function: Any, *arguments: Any, **limits: Any) -> str:
        """Return the kind of the error of a call that cannot succeed."""
        (problem,) = self.failure(function, *arguments, **limits).problems
        assert problem.message.strip(), "the error has no message"
        return problem.kind

    def test_it_is_an_executor(self) -> None:
        """It has the method of `dicomwright.plugins.Executor`."""
        executor = instance_of(self.plugin_set, "executor", self.name)
        assert isinstance(executor, Executor), (
            f"{type(executor).__name__} lacks run(function, arguments, ...)"
        )

    def test_results_come_back(self) -> None:
        """What is called with plain data gives plain data, elsewhere."""
        assert self.run(calls.add, [1], [2]) == [1, 2]
        assert self.run(calls.whereabouts) != os.getpid(), "it calls functions in the caller's own process"

    def test_what_raises(self) -> None:
        """An exception is told as such, with its text and where it was."""
        error = self.failure(calls.fail, "on purpose")
        assert error.problems[0].kind == "raised"
        assert "on purpose" in str(error), f"the message does not say what was raised: {error}"
        assert "fail" in error.traceback, "the error has no traceback of the call"

    def test_what_ends_or_kills_the_process(self) -> None:
        """Neither takes the caller along."""
        assert self.kind_of(calls.leave, 3) == "exited"
        assert self.kind_of(calls.die) == "killed"

    def test_what_takes_too_long(self, tmp_path: Path) -> None:
        """It is ended in time."""
        assert self.kind_of(calls.sleep, 600, seconds=1.5) == "timeout"
        assert list(tmp_path.iterdir()) == []

    def test_what_takes_too_much_memory(self) -> None:
        """It is ended before the machine suffers."""
        if self.limits_memory:
            assert self.kind_of(calls.take, _BIG, memory=_LIMIT) == "memory"

    def test_what_cannot_be_sent(self) -> None:
        """Arguments and results that cannot be pickled are told as such."""
        assert self.kind_of(calls.add, lambda: 1, 2) == "unpicklable"
        assert self.kind_of(calls.unpicklable) == "unpicklable"
