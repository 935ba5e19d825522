"""Send instances to destinations until each has arrived, is refused, or the patience is used up."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from dicomwright.delivery.destinations import resolve_destinations
from dicomwright.delivery.instances import find_instances
from dicomwright.delivery.ledger import Ledger
from dicomwright.delivery.policy import Policy
from dicomwright.delivery.report import ARRIVED, STATES, DestinationReport, Report
from dicomwright.delivery.transmission import Transmission
from dicomwright.errors import DeliveryError
from dicomwright.plugins import Delivery, default

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from dicomwright.delivery.destinations import Destination
    from dicomwright.delivery.instances import Instance
    from dicomwright.delivery.report import DeliveryRow
    from dicomwright.plugins import PluginSet

    Progress = Callable[[DeliveryRow], None]

__all__ = ["deliver", "ledger_beside"]

_BEFORE = "it was sent before, and may be there"
_CHANGED = "the file was changed while it was sent, so that nobody knows what arrived; send it again"


def deliver(
    files: str | Path | Iterable[str | Path],
    destinations: str | Iterable[str],
    *,
    ledger: str | Path | None = None,
    options: Mapping[str, str] | None = None,
    policy: Policy | None = None,
    sender: str = "",
    again: bool = False,
    stop: threading.Event | None = None,
    progress: Progress | None = None,
    plugin_set: PluginSet | None = None,
) -> Report:
    """Send files to destinations, all at the same time, and return what became of each instance.

    What has arrived by an earlier call with the same ledger is not sent again; UIDs never change.

    Examples
    --------
    >>> report = deliver("out/", "dicom://PACS@127.0.0.1:11112")  # doctest: +SKIP
    >>> report.complete  # doctest: +SKIP
    True

    Parameters
    ----------
    files : path, or iterable of paths
        Folders (with those below them) and DICOM files.
    destinations : str or iterable of str
        URLs such as ``"dicom://PACS@host:104"`` or ``"https://host/dicom-web"``.
    ledger : path, optional
        Where the ledger is; beside the first folder if not given, as ``out.ledger`` for ``out``.
    options : mapping of str to str
        For the senders; each is given to those that know it.
    policy : Policy
        How often and how long something is tried.
    sender : str
        The sender to use, if the scheme does not tell.
    again : bool
        Whether to send what has arrived already, too.
    stop : threading.Event
        Set it, and this function returns after the file that is being sent.
    progress : callable
        Called with the row of each instance when it is written; in a thread of its destination, one at a time.

    Raises
    ------
    DeliveryError
        A file, destination or option is wrong, and nothing was sent; or the ledger cannot be used.
    PluginError
        Nothing usable sends there.

    """
    urls = [destinations] if isinstance(destinations, str) else list(destinations)
    given = [files] if isinstance(files, str | Path) else list(files)
    resolved = resolve_destinations(urls, options or {}, plugin_set or default(), sender)
    found = find_instances(given)
    where = ledger_beside(Path(given[0])) if ledger is None else Path(ledger)
    chosen = policy or Policy()
    limits = _Limits(chosen, time.monotonic() + chosen.timeout, stop or threading.Event())
    with Ledger(where) as book:
        for one in resolved:
            book.plan(one.key, found.instances)
        runs = [_Run(one, found.instances, book, limits, progress) for one in resolved]
        warnings = [*found.warnings, *(text for run in runs for text in run.warnings())]
        reports = _side_by_side(runs, limits, again=again)
    return Report(where.absolute(), tuple(reports), tuple(warnings))


def ledger_beside(path: Path) -> Path:
    """Return where the ledger of a folder, or of a file's folder, is unless the user says so.

    Examples
    --------
    >>> ledger_beside(Path("/data/out")).name
    'out.ledger'

    """
    resolved = path.resolve()
    folder = resolved.parent if resolved.is_file() else resolved
    if not folder.name:
        raise DeliveryError(f"there is no room for a ledger beside {folder}", hint="give --ledger a path")
    return folder.with_name(f"{folder.name}.ledger")


@dataclass(frozen=True, slots=True)
class _Limits:
    """What ends a call."""

    policy: Policy
    deadline: float
    stop: threading.Event
    telling: threading.Lock = field(default_factory=threading.Lock)

    def over(self) -> bool:
        return self.stop.is_set() or time.monotonic() >= self.deadline

    def why(self) -> str:
        """Say what ended a call; empty if nothing did."""
        if self.stop.is_set():
            return "stopped"
        if time.monotonic() >= self.deadline:
            return f"the time of {self.policy.timeout:g} s is up"
        return ""

    def wait(self, seconds: float) -> bool:
        """Wait; tell whether there is time for another try after it."""
        if time.monotonic() + seconds >= self.deadline:
            return False
        return not self.stop.wait(seconds)


def _side_by_side(runs: list[_Run], limits: _Limits, *, again: bool) -> list[DestinationReport]:
    """Send to each destination in a thread of its own, so that one that does not answer holds up no other."""
    if len(runs) == 1:
        return [runs[0].go(again=again)]
    with ThreadPoolExecutor(len(runs), "delivery") as pool:
        going = [pool.submit(run.go, again=again) for run in runs]
        try:
            wait(going)
        except BaseException:  # the user has had enough
            limits.stop.set()
            raise
    return [one.result() for one in going]


@dataclass(slots=True)
class _Try:
    """What one call of a sender brought."""

    said: dict[Path, Delivery] = field(default_factory=dict)
    retry_after: float = 0.0


class _Run:
    """All tries of one destination."""

    def __init__(
        self,
        destination: Destination,
        instances: tuple[Instance, ...],
        ledger: Ledger,
        limits: _Limits,
        progress: Progress | None,
    ) -> None:
        self._destination = destination
        self._instances = instances
        self._ledger = ledger
        self._limits = limits
        self._progress = progress
        self._tries: dict[Path, int] = {}
        self._perhaps_there: set[Path] = set()  # sent before, and not refused since
        self._stopped = ""

    def warnings(self) -> list[str]:
        """Return what the user should know: another content was sent under the same UID."""
        key = self._destination.key
        changed = [one for one in self._instances if self._ledger.other_contents(key, one)]
        if not changed:
            return []
        text = f"{key} has {len(changed)} instances with another content under the same SOPInstanceUID, such as that"
        return [f"{text} of {changed[0].file}; it may keep what it has"]

    def go(self, *, again: bool) -> DestinationReport:
        """Send what has not arrived, until it has, is refused, or nothing helps."""
        key = self._destination.key
        before = {one: self._ledger.row(key, one).state for one in self._instances}
        left = [one for one in self._instances if again or before[one] not in ARRIVED]
        self._perhaps_there = {one.file for one in left if before[one] not in {"refused", "pending"}}
        idle = 0
        while left and not self._limits.over():
            tried = self._try(left)
            remaining = self._to_send_again(left, tried)
            idle = 0 if len(remaining) < len(left) else idle + 1
            left = remaining
            if not left or idle > self._limits.policy.retries or not self._waited(idle, tried.retry_after):
                break
        self._stopped = self._stopped or (self._limits.why() if left else "")
        rows = tuple(self._ledger.row(key, one) for one in self._instances)
        return DestinationReport(key, self._destination.name, rows, len(self._tries), self._stopped)

    def _waited(self, idle: int, retry_after: float) -> bool:
        """Wait before the next try; tell whether there is one."""
        policy = self._limits.policy
        if retry_after > policy.longest_wait:
            self._stopped = f"it wants to be left alone for {retry_after:g} s"
            return False
        if self._limits.wait(max(policy.wait(max(idle, 1)), retry_after)):
            return True
        self._stopped = self._limits.why() or f"the time of {policy.timeout:g} s ends before the next try"
        return False

    def _try(self, left: list[Instance]) -> _Try:
        """Let the sender transmit once, and write down what it says as it says it."""
        key = self._destination.key
        by_file = {one.file: one for one in left}
        self._ledger.begin(key, left)
        tried, transmission = _Try(), Transmission(self._destination, list(by_file))
        try:
            for delivery in transmission.deliveries(self._limits.over):
                self._write(by_file, delivery, tried)
        finally:
            for delivery in transmission.rest():
                self._write(by_file, delivery, tried)
        why = transmission.problem or "no answer came"
        for file in by_file.keys() - tried.said.keys():
            self._write(by_file, Delivery(file, "unknown", "", why), tried)
        return tried

    def _write(self, by_file: dict[Path, Instance], delivery: Delivery, tried: _Try) -> None:
        """Write what a sender says of a file that it was given; its first word on it counts."""
        instance = by_file.get(Path(delivery.file))
        if instance is None or delivery.state not in STATES or instance.file in tried.said:
            return
        if delivery.state in ARRIVED and instance.has_changed():
            delivery = replace(delivery, state="unknown", message=_CHANGED)
        key, sent = self._destination.key, delivery.state != "pending"
        told = delivery
        if not sent and instance.file in self._perhaps_there:
            told = replace(delivery, state="unknown", message=f"{_BEFORE}; {delivery.message}")
        self._ledger.record(key, instance, told, sent=sent)
        tried.said[instance.file] = delivery
        tried.retry_after = max(tried.retry_after, delivery.retry_after)
        if sent:
            change = self._perhaps_there.discard if delivery.state == "refused" else self._perhaps_there.add
            change(instance.file)
            self._tries[instance.file] = self._tries.get(instance.file, 0) + 1
        if self._progress is not None:
            row = self._ledger.row(key, instance)
            with self._limits.telling:
                self._progress(row)

    def _to_send_again(self, left: list[Instance], tried: _Try) -> list[Instance]:
        """Return what is worth another try; what has failed stands behind what has not been sent."""
        pending = [one for one in left if tried.said[one.file].state == "pending"]
        failed = [one for one in left if self._may_help(one, tried.said[one.file])]
        return pending + failed

    def _may_help(self, instance: Instance, delivery: Delivery) -> bool:
        """Tell whether an instance that was sent is worth another try."""
        passing = delivery.state == "unknown" or (delivery.state == "refused" and delivery.transient)
        return (
            passing
            and not instance.has_changed()
            and self._tries[instance.file] <= self._limits.policy.retries
        )
