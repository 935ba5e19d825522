"""Where functions run that must not hurt their caller. The executor ``process`` gives each call a process."""

from __future__ import annotations

from dicomwright.executors.process import ProcessExecutor

__all__ = ["ProcessExecutor"]
