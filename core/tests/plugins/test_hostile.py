"""Plug-ins that hang, stay behind or lie about what they are: one record, and nobody else notices."""

from __future__ import annotations

import json
import signal
import time

import pytest

from dicomwright.plugins import load
from dicomwright.plugins.isolation import at_most

MAIN = "from dicomwright.cli import main; main({})"
HOOK = "@hookimpl\ndef dicomwright_readers():\n    "
STUBBORN = """
while True:
    try:
        while True:
            pass
    except BaseException:
        rounds = globals().get("rounds", 0) + 1
        if rounds > 1:
            raise
"""


@pytest.mark.parametrize(
    "code",
    [
        "import time; time.sleep(60)",
        "import threading; threading.Event().wait(60)",
        STUBBORN,
        HOOK + "while True: pass",
        HOOK + "__import__('time').sleep(60); yield",
    ],
)
def test_what_takes_too_long_is_interrupted(site, record, monkeypatch, code):
    monkeypatch.setenv("DICOMWRIGHT_PLUGIN_SECONDS", "0.2")
    site.good("zzz-last")
    site.add("acme-slow", code)
    began = time.monotonic()
    found = load()
    assert time.monotonic() - began < 10
    assert (record("acme-slow", found).status, record("acme-slow", found).reason) == (
        "failed",
        "loading it took longer than 0.2 s (DICOMWRIGHT_PLUGIN_SECONDS allows more)",
    )
    assert record("zzz-last", found).status == "loaded"
    assert "last" in found.registry("reader")


def test_an_alarm_of_others_still_rings():
    rang = []
    before = signal.signal(signal.SIGALRM, lambda *_: rang.append(1))
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        with at_most(5):
            time.sleep(0.1)
        assert rang == []
        time.sleep(0.1)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert rang == [1]


def test_threads_that_stay_are_refused_and_do_not_hold_the_program(site):
    site.add("acme-threads", "import threading, time\nthreading.Thread(target=time.sleep, args=[60]).start()")
    began = time.monotonic()
    done = site.run(MAIN.format(["plugins", "--json"]))
    assert time.monotonic() - began < 30
    assert done.returncode == 0, done.stderr
    (row,) = [row for row in json.loads(done.stdout) if row["distribution"] == "acme-threads"]
    assert (row["status"], row["reason"]) == (
        "failed",
        "loading it started threads; a plug-in starts them when it is used",
    )


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("name=Odd('acme'), summary='s', target='a:b'", "ReaderSpec 'acme': name is 'acme'; it is at most"),
        ("name=3, summary='s', target='a:b'", "ReaderSpec 3: name is 3; it is at most 64 lower-case"),
        (
            "name='a', summary=Odd('s'), target='a:b'",
            "ReaderSpec 'a': summary is 's'; it is one line of text",
        ),
    ],
)
def test_texts_that_are_no_plain_texts(site, record, field, text):
    code = "class Odd(str):\n    def __hash__(self): raise OSError('no hash')\n"
    site.add("acme-odd", f"{code}{HOOK}return [ReaderSpec({field})]")
    assert record("acme-odd").status == "failed"
    assert text in record("acme-odd").reason
