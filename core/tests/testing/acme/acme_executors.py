"""Executors, all wrong."""

# ruff: noqa: ARG002
from __future__ import annotations

from dicomwright.errors import ExecutionError
from dicomwright.executors import ProcessExecutor


class Here:
    def run(self, function, arguments, *, seconds=None, memory=None):
        return function(*arguments)


class Patient(ProcessExecutor):
    def run(self, function, arguments, *, seconds=None, memory=None):
        return super().run(function, [min(one, 3) if one == 600 else one for one in arguments])


class Vague(ProcessExecutor):
    def run(self, function, arguments, *, seconds=None, memory=None):
        try:
            return super().run(function, arguments, seconds=seconds, memory=memory)
        except ExecutionError:
            raise ExecutionError("it failed") from None
