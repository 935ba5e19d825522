"""Orthanc, a real archive, for tests: only in a network of its own, because it listens on all addresses.

`nox -s pacs` runs the tests in such a network: ``unshare --net``, with nothing but the loopback device.
"""

from __future__ import annotations

import base64
import http.client
import json
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pytest

from workbench.judges import absent

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

__all__ = ["Orthanc"]

_PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
_USER, _PASSWORD = "tester", "s3cret"  # of an archive that lives for a few seconds
_PATIENCE = 60.0


class Orthanc:
    """An archive with its DICOMweb plug-in.

    Attributes
    ----------
    dicom_port, http_port : int
        Where it listens.
    title : str
        Its AE title.
    user, password : str
        For HTTP.

    """

    title, user, password = "ORTHANC", _USER, _PASSWORD

    def __init__(self, folder: Path, modalities: dict[str, tuple[str, str, int]] | None = None) -> None:
        program = shutil.which("Orthanc", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
        if program is None or not _PLUGIN.exists():
            absent("Orthanc with its DICOMweb plug-in", "on Debian: apt-get install orthanc orthanc-dicomweb")
        if {name for _, name in socket.if_nameindex()} != {"lo"}:
            pytest.fail("Orthanc listens on all addresses: run it in a network of its own (nox -s pacs)")
        self.folder = folder
        self.dicom_port, self.http_port = _free_ports(2)
        self._program = program
        self._modalities = modalities or {}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The DICOMweb service."""
        return f"http://127.0.0.1:{self.http_port}/dicom-web"

    def __enter__(self) -> Self:
        """Start it and wait until it answers."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / "orthanc.json"
        path.write_text(json.dumps(self._configuration(), indent=2))
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._program, "--verbose", str(path)], stdout=log, stderr=log, cwd=self.folder
            )
        end = time.monotonic() + _PATIENCE
        while not self._is_up():
            if self._process.poll() is not None or time.monotonic() > end:
                pytest.fail(f"Orthanc does not start:\n{(self.folder / 'log').read_text()[-2000:]}")
            time.sleep(0.05)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it."""
        self.stop()

    def stop(self) -> None:
        """End this process, and no other."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(20)
            self._process = None

    def _configuration(self) -> dict[str, Any]:
        return {
            "StorageDirectory": str(self.folder / "storage"),
            "IndexDirectory": str(self.folder / "storage"),
            "Plugins": [str(_PLUGIN)],
            "DicomAet": self.title,
            "DicomPort": self.dicom_port,
            "DicomCheckCalledAet": True,
            "DicomAlwaysAllowStore": True,
            "DicomAlwaysAllowFind": True,
            "DicomAlwaysAllowGet": True,
            "DicomAlwaysAllowMove": True,
            "DicomModalities": {key: list(value) for key, value in self._modalities.items()},
            "HttpPort": self.http_port,
            "RemoteAccessAllowed": False,
            "AuthenticationEnabled": True,
            "RegisteredUsers": {self.user: self.password},
            "StorageCompression": False,
            "OverwriteInstances": True,
            "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
        }

    def _is_up(self) -> bool:
        try:
            return bool(self.get("/system")["ApiVersion"])
        except (OSError, http.client.HTTPException):
            return False

    def request(self, method: str, path: str, body: Any = None) -> bytes:
        """Ask its REST interface; any answer but a good one is a failure."""
        connection = http.client.HTTPConnection("127.0.0.1", self.http_port, timeout=30)
        token = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        connection.request(
            method, path, None if body is None else json.dumps(body), {"Authorization": f"Basic {token}"}
        )
        response = connection.getresponse()
        content = response.read()
        connection.close()
        assert response.status == 200, (method, path, response.status, content[:500])
        return content

    def get(self, path: str) -> Any:
        """Return what is there, read as JSON."""
        return json.loads(self.request("GET", path))

    def instances(self) -> dict[str, str]:
        """Return its names of instances by SOPInstanceUID."""
        found = self.get("/instances?expand")
        return {one["MainDicomTags"]["SOPInstanceUID"]: one["ID"] for one in found}

    def file(self, uid: str) -> bytes:
        """Return an instance as a file."""
        return self.request("GET", f"/instances/{self.instances()[uid]}/file")

    def know(self, title: str, port: int) -> None:
        """Let it know a DICOM node of this machine, under its AE title in lower case."""
        self.request("PUT", f"/modalities/{title.lower()}", [title, "127.0.0.1", port])

    def clear(self) -> None:
        """Remove all patients."""
        for patient in self.get("/patients"):
            self.request("DELETE", f"/patients/{patient}")


def _free_ports(count: int) -> Sequence[int]:
    servers = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [server.getsockname()[1] for server in servers]
    for server in servers:
        server.close()
    return ports
