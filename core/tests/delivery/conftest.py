"""A sender that answers as it is told, and a series to send."""

from __future__ import annotations

import pytest

from dicomwright.delivery import Policy, deliver
from dicomwright.plugins import Delivery, OptionSpec, PluginSet, Registry, SenderSpec
from dicomwright.plugins.records import Contribution, Provider

DESTINATION = "box://PACS@archive:104"
QUICK = Policy(retries=2, first_wait=0.001, longest_wait=0.01, timeout=20.0)


class Box:
    """Keeps what it is sent; `answers` has what to say of a file name, one answer for each time, stored after those."""

    def __init__(self):
        self.calls = []
        self.kept = []
        self.answers = {}
        self.before = lambda _: None
        self.checked = []

    def check(self, destination, options):
        self.checked.append((destination, dict(options)))

    def send(self, files, *_):
        self.calls.append([file.name for file in files])
        for file in files:
            self.before(file.name)
            answers = self.answers.get(file.name, [])
            answer = answers.pop(0) if answers else "stored"
            if answer is None:
                return
            one = Delivery(file, answer) if isinstance(answer, str) else Delivery(file, **answer)
            if one.state in {"stored", "warning"}:
                self.kept.append(file.name)
            yield one


def plugin_set(**senders):
    """Return plug-ins with these senders; the scheme is the name, `one__two` serves two as `one`."""
    options = (OptionSpec(name="colour", summary="of the box", default="red"),)
    entries = {
        name: Contribution(
            SenderSpec(
                name=name,
                summary="a box",
                target="acme:Box",
                schemes=("box" if "box" in name else name,),
                options=options,
            ),
            name,
            Provider(f"acme-{name}", "1.0"),
        )
        for name in senders
    }
    return PluginSet((), {"sender": Registry("sender", entries, _objects=dict(senders))})


@pytest.fixture
def series(tmp_path, make_series, write_series):
    """Return the folder of a series of five files, IM00000 to IM00004."""
    write_series(make_series(shape=(5, 4, 6)), tmp_path / "out")
    return tmp_path / "out"


@pytest.fixture
def box():
    return Box()


@pytest.fixture
def send(series, box):
    """Return `send(**more) -> report`: the series goes to the box."""

    def run(files=series, destinations=DESTINATION, policy=QUICK, **more):
        return deliver(
            files, destinations, policy=policy, plugin_set=more.pop("plugin_set", plugin_set(box=box)), **more
        )

    return run


@pytest.fixture
def states():
    """Return `states(report) -> {file name: state}`."""
    return lambda report: {row.file.name: row.state for row in report.rows}


class Patience:
    """Stands in for `threading.Event`: notes the waits that are asked for, and none takes time."""

    def __init__(self):
        self.waits = []

    def is_set(self):
        return False

    def wait(self, seconds):
        self.waits.append(seconds)
        return False


@pytest.fixture
def patience():
    return Patience()


@pytest.fixture
def plugins():
    """Return `plugins(name=sender, ...) -> PluginSet`."""
    return plugin_set
