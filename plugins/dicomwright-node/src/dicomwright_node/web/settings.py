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
        Whether pages show patient data: values of tags that may hold some, what groups the instances of a job, and
        pictures that may have text in them.
    remote : bool
        Whether other machines may see the pages, if ``[http]`` listens on more than 127.0.0.1. The pages ask for no
        password.
    hosts : tuple of str
        By which names, besides addresses and ``localhost``, the pages may be called.

    """

    enabled: Annotated[bool, "bool"] = True
    show_phi: Annotated[bool, "bool"] = False
    remote: Annotated[bool, "bool"] = False
    hosts: Annotated[tuple[str, ...], "host-list"] = ()
