"""What the targets of descriptors look like. Nothing needs to inherit from these."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["Reader"]


@runtime_checkable
class Reader(Protocol):
    """Turns a source file into a payload.

    Examples
    --------
    >>> class AcmeReader:
    ...     def can_read(self, path, head):
    ...         return head.startswith(b"ACME")
    ...
    ...     def read(self, path, options):
    ...         return Volume(parse(path))
    >>> isinstance(AcmeReader(), Reader)
    True

    """

    def can_read(self, path: Path, head: bytes) -> bool:
        """Tell whether the file is one of this reader's.

        Asked only if the file's name and first bytes leave several readers.

        Parameters
        ----------
        path : Path
            The file.
        head : bytes
            Its first bytes, at most `dicomwright.plugins.selection.HEAD_SIZE`.

        """

    def read(self, path: Path, options: Mapping[str, str]) -> Any:
        """Return the payload: a `Volume`, `Frames` or a `Document`.

        Parameters
        ----------
        path : Path
            The file.
        options : mapping of str to str
            What ``--reader-opt`` gave, complete with the defaults of the descriptor.

        Raises
        ------
        SourceError
            The file is damaged, or not what this reader takes.

        """
