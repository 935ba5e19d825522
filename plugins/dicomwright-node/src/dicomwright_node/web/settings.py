"""The section ``[web]`` of the configuration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

__all__ = ["WebSection"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSection:
    """``[web]``: the pages.

    Attributes
    ----------
    enabled : bool
        Whether there are pages; health and metrics are there without them, too.
    show_phi : bool
        Whether pages show patient data: values of tags that may hold some, keys of jobs, and pictures.
    hosts : tuple of str
        By which names, besides addresses and ``localhost``, the pages may be called.

    """

    enabled: Annotated[bool, "bool"] = True
    show_phi: Annotated[bool, "bool"] = False
    hosts: Annotated[tuple[str, ...], "host-list"] = ()
