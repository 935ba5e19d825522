"""Encrypted connections: who is on the other side is always checked."""

from __future__ import annotations

import gc
import http.server
import ssl
import subprocess
import threading

import pytest

from dicomwright.errors import DeliveryError
from dicomwright_node.senders.dicom import DicomSender

pytestmark = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # the library's sockets


@pytest.fixture(autouse=True)
def _no_sockets_for_the_next_test():
    """Collect what the library leaves here, where its warnings are ignored."""
    yield
    gc.collect()


def server_context(certificates, *, client_needed=False):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.server, certificates.server_key)
    if client_needed:
        context.load_verify_locations(certificates.ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


@pytest.fixture
def tls_node(node, certificates):
    """Return `tls_node(**context) -> node` with a URL for TLS."""

    def start(**context):
        one = node(ssl_context=server_context(certificates, **context))
        one.url = one.url.replace("dicom://", "dicom+tls://")
        return one

    return start


def test_dicom(tls_node, send, certificates):
    assert send(tls_node().url, ca=certificates.ca).complete


def test_dicom_with_our_certificate(tls_node, send, certificates):
    peer = tls_node(client_needed=True)
    own = {"cert": certificates.client, "key": certificates.client_key}
    assert not send(peer.url, ca=certificates.ca).complete
    assert send(peer.url, ca=certificates.ca, **own).complete


def test_dicom_with_a_certificate_that_nobody_vouches_for(tls_node, send, said):
    report = send(tls_node().url)
    assert said(report) == {"pending": 5}
    assert "certificate verify failed" in report.rows[0].message


def test_dicom_with_a_certificate_of_another_name(tls_node, send, certificates):
    peer = tls_node()
    report = send(peer.url, ca=certificates.ca, tls_name="other.test")
    assert "certificate" in report.rows[0].message
    assert not report.complete
    assert send(peer.url, ca=certificates.ca, tls_name="pacs.test").complete


def test_dicom_without_tls_on_the_other_side(node, send, said, certificates):
    report = send(node().url.replace("dicom:", "dicom+tls:"), ca=certificates.ca)
    assert said(report) == {"pending": 5}


def test_options_that_are_wrong(certificates, tmp_path):
    (tmp_path / "junk.pem").write_text("junk")
    check = DicomSender().check
    known = {f"{name}-timeout": "1" for name in ("connect", "acse", "dimse", "network", "commitment")}
    known["calling-aet"] = "A"
    with pytest.raises(DeliveryError, match="option key is given without cert"):
        check("dicom+tls://A@h", known | {"key": str(certificates.client_key)})
    with pytest.raises(DeliveryError, match="the certificates cannot be used"):
        check("dicom+tls://A@h", known | {"ca": str(tmp_path / "junk.pem")})


@pytest.fixture
def https(certificates, answers):
    """Return the address of a server that takes everything, and where it keeps the number of requests."""
    counts = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            counts.append(len(body))
            uids = [part[part.index(b"\x02\0\x03\0UI") + 8 :] for part in answers.parts_of(body)]
            answers.stored(self, [uid[: uid.index(b"\x02\0")].rstrip(b"\0").decode() for uid in uids])

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None
    server.socket = server_context(certificates).wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"https://127.0.0.1:{server.server_port}/dicom-web", counts
    server.shutdown()
    server.server_close()


def test_dicomweb(https, send, certificates):
    url, counts = https
    assert send(url, ca=certificates.ca, batch_files=2).complete
    assert len(counts) == 3


def test_dicomweb_with_a_certificate_that_nobody_vouches_for(https, send, said):
    url, counts = https
    report = send(url)
    assert said(report) == {"pending": 5}
    assert report.rows[0].message.startswith(f"no connection to {url}: its certificate is not trusted: ")
    assert counts == []


def test_nobody_is_asked_for_the_password_of_a_key(certificates, tmp_path):
    key, own = tmp_path / "locked.key", certificates.client_key
    locking = ["openssl", "ec", "-aes256", "-passout", "pass:hunter2", "-in", own, "-out", key]
    subprocess.run(locking, check=True, capture_output=True, timeout=60)
    options = {f"{name}-timeout": "30" for name in ("connect", "acse", "dimse", "network", "commitment")}
    given = {"calling-aet": "OURS", "cert": str(certificates.client), "key": str(key)}
    with pytest.raises(DeliveryError, match="cannot be used: the key is encrypted, and nobody is asked"):
        DicomSender().check("dicom+tls://PACS@127.0.0.1:104", options | given)
