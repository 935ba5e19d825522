"""A node in a process of its own, and instances to send to it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pydicom.dataset import Dataset

__all__ = ["QUIET_PIPELINE", "ServedNode", "ct_instance"]

QUIET_PIPELINE = """
from dicomwright_node import AbstractInput, AbstractPipeline, AbstractProcessor, NoOutput


class CTInput(AbstractInput):
    required_values = {"Modality": "CT"}


class Pipeline(AbstractPipeline):
    ae_title = "NODE"
    input = {"ct": CTInput}

    class Processor(AbstractProcessor):
        def process(self, input_container):
            return NoOutput()
"""


class ServedNode:
    """``dicomwright node serve`` in a folder, on free ports of 127.0.0.1.

    Leaving the context kills the process, if it still runs.

    Parameters
    ----------
    folder : Path
        Where ``my_node.py``, ``node.toml``, the log and the node's folder ``kept`` are.
    pipeline : str
        Text of ``my_node.py``, which has a class ``Pipeline``.
    config : str
        Text of ``node.toml`` after the folder and the ports.
    environment : mapping, optional
        More variables for the process.

    """

    def __init__(
        self,
        folder: Path,
        pipeline: str = QUIET_PIPELINE,
        config: str = "",
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder
        self.kept = folder / "kept"
        self._log = folder / "node.log"
        self._environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"} | dict(environment or {})
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "my_node.py").write_text(pipeline, encoding="utf-8")
        (folder / "node.toml").write_text(_merged(config), encoding="utf-8")
        self.process: subprocess.Popen[bytes] | None = None
        self.ready: dict[str, Any] = {}

    def __enter__(self) -> Self:
        """Start the node; one that does not get ready is killed."""
        try:
            self.start()
        except BaseException:
            self.kill()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Kill the node."""
        self.kill()

    @property
    def dimse_port(self) -> int:
        """The port of C-STORE."""
        return int(self.ready["dimse_port"])

    @property
    def http_port(self) -> int:
        """The port of HTTP."""
        return int(self.ready["http_port"])

    def start(self, seconds: float = 30.0, *, file_size: int | None = None) -> None:
        """Start the process, on request with a limit of the size of its files, and wait until it is ready."""
        command = [sys.executable, "-m", "dicomwright", "node", "serve", "my_node:Pipeline"]
        if file_size is not None:
            command = ["prlimit", f"--fsize={file_size}", *command]
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [*command, "--config", "node.toml", "--debug"],
                cwd=self.folder,
                env=self._environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # so that its workers can be killed with it
            )
        self.ready = self.event("ready", seconds)

    def event(self, name: str, seconds: float = 30.0) -> dict[str, Any]:
        """Return the first line of the log with an event; wait for it."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for line in self.log():
                if line.get("event") == name:
                    return line
            if self.process is None or self.process.poll() is not None:
                break
            time.sleep(0.02)
        raise AssertionError(f"no event {name!r} in the log:\n{self._log.read_text(errors='replace')}")

    def log(self) -> list[dict[str, Any]]:
        """Return the lines of the log that are JSON, of the present process."""
        lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()
        return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]

    def text(self) -> str:
        """Return everything that the process wrote."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def kill(self) -> None:
        """End the process and its workers at once, as a power cut would."""
        if self.process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self, seconds: float = 30.0) -> int:
        """End the process in good order; return its exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(seconds)


def _merged(config: str) -> str:
    """Return the configuration, with the folder and any free ports unless it says otherwise itself."""
    text = config
    for line in ('[node]\nfolder = "kept"', "[dimse]\nport = 0", "[http]\nport = 0"):
        section = line.split("\n", maxsplit=1)[0]
        text = text.replace(section, line, 1) if section in text else f"{line}\n{text}"
    return text


def ct_instance(
    number: int = 1, *, series: str = "2.25.77", rows: int = 16, columns: int = 12, **more: Any
) -> Dataset:
    """Return a small CT instance with file meta information, each with pixels of its own."""
    import numpy as np
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID = CTImageStorage
    dataset.SOPInstanceUID = f"{series}.{number}"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = f"{series}.0", series
    dataset.PatientID, dataset.PatientName, dataset.Modality = "4711", "Doe^Jane", "CT"
    dataset.InstanceNumber = number
    dataset.ImagePositionPatient, dataset.ImageOrientationPatient = [0, 0, 2.5 * number], [1, 0, 0, 0, 1, 0]
    dataset.PixelSpacing = [0.5, 0.75]
    dataset.Rows, dataset.Columns = rows, columns
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 12, 11, 0
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.RescaleSlope, dataset.RescaleIntercept = 1, -1024
    pixels = (np.arange(rows * columns).reshape(rows, columns) + 7 * number) % 4096
    dataset.PixelData = pixels.astype("<u2").tobytes()
    dataset["PixelData"].VR = "OW"
    for keyword, value in more.items():
        setattr(dataset, keyword, value)
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    return dataset
