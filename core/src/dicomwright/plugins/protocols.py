"""What the targets of descriptors look like. Nothing needs to inherit from these."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

from dicomwright._dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

__all__ = ["Delivery", "DeliveryState", "Executor", "Reader", "Sender"]

DeliveryState = Literal["stored", "warning", "refused", "unknown", "pending"]


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


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of one file that was sent.

    Examples
    --------
    >>> from pathlib import Path
    >>> Delivery(Path("1.dcm"), "refused", "0xA700", "out of resources").state
    'refused'

    Attributes
    ----------
    file : Path
        The file.
    state : {"stored", "warning", "refused", "unknown", "pending"}
        ``"warning"``: stored, and something was changed or noticed. ``"unknown"``: no answer came, so that it may
        be stored or not; it is sent again with the same UID. ``"pending"``: nothing of it was sent, as without a
        connection; it is sent later.
    status : str
        The answer's code as its protocol writes it, such as ``"0xA700"`` or ``"HTTP 409"``; empty without an answer.
    message : str
        What the other side said, or what happened, for people.
    transient : bool
        Of a refusal: it may pass, such as a full disk, so that the file is sent again.
    retry_after : float
        Seconds that the other side wants to be left alone.

    """

    file: Path
    state: DeliveryState
    status: str = ""
    message: str = ""
    transient: bool = False
    retry_after: float = 0.0


@runtime_checkable
class Sender(Protocol):
    """Transmits files once; the core decides what is sent again, and keeps the ledger.

    Examples
    --------
    >>> class FolderSender:
    ...     def send(self, files, destination, options):
    ...         for file in files:
    ...             shutil.copy(file, destination.removeprefix("folder:"))
    ...             yield Delivery(file, "stored")
    >>> isinstance(FolderSender(), Sender)
    True

    """

    def send(self, files: Sequence[Path], destination: str, options: Mapping[str, str]) -> Iterable[Delivery]:
        """Yield what became of each file, as soon as it is known.

        A file for which nothing comes is ``"unknown"``. Nothing is tried twice here. It runs in a thread, and is
        closed early when the user stops.

        A sender may have ``check(destination, options)``, too: it raises what `send` would raise, and is asked of
        all destinations before anything is sent.

        Parameters
        ----------
        files : sequence of Path
            Finished DICOM files, which are not changed.
        destination : str
            The URL as the user wrote it, of one of the schemes of the descriptor.
        options : mapping of str to str
            What ``--sender-opt`` gave, complete with the defaults of the descriptor.

        Raises
        ------
        DeliveryError
            The destination is written wrongly, or an option is.

        """


@runtime_checkable
class Executor(Protocol):
    """Calls functions where their crash cannot hurt the caller.

    Examples
    --------
    >>> class Here:
    ...     def run(self, function, arguments, *, seconds=None, memory=None):
    ...         return function(*arguments)
    >>> isinstance(Here(), Executor)
    True

    """

    def run(
        self,
        function: Callable[..., Any],
        arguments: Sequence[Any],
        *,
        seconds: float | None = None,
        memory: int | None = None,
    ) -> Any:
        """Return what a function returns.

        Parameters
        ----------
        function : callable
            Importable by its name, so that it can be called in another process.
        arguments : sequence
            Picklable.
        seconds : float, optional
            How long it may take.
        memory : int, optional
            How many bytes of memory it may take.

        Raises
        ------
        ExecutionError
            It raised, ended the process, was killed, took too long or too much memory.

        """
