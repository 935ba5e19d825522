"""Certificates for encrypted connections in tests, made anew by openssl and thrown away."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING, NamedTuple

from workbench.judges import absent

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Certificates", "make_certificates"]


class Certificates(NamedTuple):
    """Files in PEM form; the server's is for 127.0.0.1 and ``pacs.test``."""

    ca: Path
    server: Path
    server_key: Path
    client: Path
    client_key: Path


def make_certificates(folder: Path) -> Certificates:
    """Make an authority and what it signs."""
    if shutil.which("openssl") is None:
        absent("openssl", "install it, on Debian: apt-get install openssl")
    named = ["-subj", "/CN=Test authority", "-days", "2", "-addext", "keyUsage=critical,keyCertSign,cRLSign"]
    _openssl(folder, "req", "-x509", *_key("ca"), "-out", "ca.pem", *named)
    for name, alternative in (("server", "IP:127.0.0.1,DNS:pacs.test"), ("client", "DNS:client.test")):
        _openssl(folder, "req", *_key(name), "-out", f"{name}.csr", "-subj", f"/CN={name}")
        whose = "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"
        (folder / f"{name}.ext").write_text(f"{whose}subjectAltName={alternative}\n")
        signer = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2"]
        asked = ["-in", f"{name}.csr", "-out", f"{name}.pem", "-extfile", f"{name}.ext"]
        _openssl(folder, "x509", "-req", *asked, *signer)
    names = ("ca.pem", "server.pem", "server.key", "client.pem", "client.key")
    return Certificates(*(folder / name for name in names))


def _key(name: str) -> list[str]:
    """Return the arguments for a new key, which is small so that it is made fast."""
    return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", f"{name}.key"]


def _openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True, timeout=60)
