"""The named functions that blueprint files may call, as in ``{series = "uid"}``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dicomwright._version import version
from dicomwright.clock import build_instant
from dicomwright.uids import gen_uid

if TYPE_CHECKING:
    import datetime as dt

    from dicomwright.blueprint.environment import InstanceEnvironment

__all__ = ["instance_number", "now", "software", "time_now", "today", "total_images", "uid"]


def uid() -> str:
    """Return a new UID."""
    return gen_uid()


def today() -> dt.date | None:
    """Return the date of the build, None if a reproducible build knows none."""
    instant = build_instant()
    return None if instant is None else instant.date()


def now() -> dt.datetime | None:
    """Return the instant of the build to the second.

    It serves DT (with the offset from UTC), TM and DA; None if a reproducible build knows none.
    """
    instant = build_instant()
    return None if instant is None else instant.replace(microsecond=0)


def time_now() -> dt.time | None:
    """Return the local time of the build to the second."""
    instant = build_instant()
    return None if instant is None else instant.time().replace(microsecond=0)


def software() -> str:
    """Return the name and version of this software."""
    return f"dicomwright {version()}"


def instance_number(env: InstanceEnvironment) -> int:
    """Return 1 for the first instance, 2 for the second."""
    return env.instance_number


def total_images(env: InstanceEnvironment) -> int | None:
    """Return the number of instances of the series."""
    return env.total_images
