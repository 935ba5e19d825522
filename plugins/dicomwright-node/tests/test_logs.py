"""Lines of the log: JSON, control characters escaped, patient data only where that is asked for."""

from __future__ import annotations

import json
import logging
import sys
import warnings

import pytest

from dicomwright_node import logs
from dicomwright_node.config import LoggingConfig


@pytest.fixture
def started(tmp_path):
    """Return `started(**config) -> lines so far`, with the loggers as they were after the test."""
    root, ours = logging.getLogger(), logging.getLogger("dicomwright_node")
    before = root.level, ours.level
    handlers = []

    def start(**config):
        handlers.append(logs.start(LoggingConfig(file=tmp_path / "node.log", **config)))
        return lambda: [json.loads(line) for line in (tmp_path / "node.log").read_text().splitlines()]

    yield start
    logging.captureWarnings(False)
    for handler in handlers:
        root.removeHandler(handler)
        handler.close()
    root.setLevel(before[0])
    ours.setLevel(before[1])


def speak():
    log = logging.getLogger("dicomwright_node.test")
    log.debug("details")
    log.info("job\n1\x1b", extra={"event": "e", "job": 1, "phi": {"key": "CANARY"}})
    value = "CANARY is wrong"
    try:
        int(value)
    except ValueError:
        log.exception("it failed")
    logging.getLogger("pydicom").warning("CANARY is no date")
    warnings.warn("CANARY is odd", UserWarning, stacklevel=1)


def test_without_patient_data(started, tmp_path):
    lines = started()
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        speak()
    text = (tmp_path / "node.log").read_text()
    assert "CANARY" not in text
    assert "\x1b" not in text
    info, failed, foreign, warned = lines()
    assert (info["message"], info["event"], info["job"]) == ("job\n1\x1b", "e", 1)
    assert info["time"].endswith("+00:00")
    assert (failed["exception"], "test_logs.py" in failed["traceback"]) == ("ValueError", True)
    assert foreign["message"] == "pydicom has a message (log_phi shows it)"
    assert warned["logger"] == "py.warnings"
    assert (tmp_path / "node.log").stat().st_mode & 0o777 == 0o600


def test_with_patient_data_and_details(started):
    lines = started(log_phi=True, level="debug")
    with pytest.warns(UserWarning, match="odd"):
        speak()
    debug, info, failed, foreign = lines()[:4]
    assert debug["level"] == "debug"
    assert info["key"] == "CANARY"
    assert failed["exception_message"].endswith("'CANARY is wrong'")
    assert foreign["message"] == "CANARY is no date"


def test_only_what_is_bad_enough(started):
    lines = started(level="error")
    with pytest.warns(UserWarning, match="odd"):
        speak()
    assert [line["message"] for line in lines() if line["logger"].startswith("dicomwright")] == ["it failed"]
    assert sys.stderr is not None
