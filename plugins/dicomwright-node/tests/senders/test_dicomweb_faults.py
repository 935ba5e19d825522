"""Whatever a web server does, the ledger says what is known, and nobody waits for ever."""

from __future__ import annotations

import base64
import json
import socket
import time

import pytest

from dicomwright.errors import DeliveryError


def messages(report):
    return {row.message for row in report.rows if not row.arrived}


def test_all_arrive_in_batches_and_as_they_are(web, send, said, series, answers, uids):
    server = web()
    report = send(server.url, batch_files=2)
    assert (report.complete, said(report)) == (True, {"stored": 5})
    assert {row.status for row in report.rows} == {"HTTP 200"}
    assert [path for path, _, _ in server.requests] == ["/dicom-web/studies"] * 3
    assert server.uids() == uids
    sent = [part for _, _, body in server.requests for part in answers.parts_of(body)]
    assert sent == [file.read_bytes() for file in sorted(series.iterdir())]
    _, headers, body = server.requests[0]
    assert headers["Content-Type"].startswith('multipart/related; type="application/dicom"; boundary=')
    assert (headers["Accept"], int(headers["Content-Length"])) == ("application/dicom+json", len(body))
    assert "Authorization" not in headers


def test_batches_are_bounded_in_size(web, send, series):
    server = web()
    assert send(server.url, batch_size=2.5 * (series / "IM00000").stat().st_size / 1e6).complete
    assert len(server.requests) == 3


def test_a_login_page_is_no_success(web, send, said, answers):
    server = web(answers.status(200, b"<html>please log in</html>", "text/html; charset=utf-8"))
    report = send(server.url, retries=1)
    assert said(report) == {"unknown": 5}
    assert messages(report) == {"the answer is text/html and names no instance"}
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("body", "media_type", "message"),
    [
        (b"", "application/dicom+json", "the answer is not what PS3.18 describes"),
        (b"", "", "the answer is empty"),
        (b"{}", "application/dicom+json", "the answer does not name the instance"),
        (b"[]", "application/json", "the answer does not name the instance"),
        (b'{"00081199": 5}', "application/dicom+json", "the answer is not what PS3.18 describes"),
        (b"[" * 100_000, "application/dicom+json", "the answer is not what PS3.18 describes"),
        (
            b"<NativeDicomModel/>",
            "application/dicom+xml",
            "the answer is application/dicom+xml and names no instance",
        ),
    ],
)
def test_an_answer_that_names_nothing(web, send, said, answers, body, media_type, message):
    report = send(web(answers.status(200, body, media_type)).url)
    assert said(report) == {"unknown": 5}
    assert messages(report) == {message}


def test_a_part_is_stored(web, send, answers, uids):
    def answer(handler, _):
        answers.reply(handler, 202, answers.stow(uids[:2], [(uids[2], 0xC122)], [(uids[3], 0xB000)]))

    report = send(web(answer).url)
    assert not report.complete
    assert [row.state for row in report.rows] == ["stored", "stored", "refused", "warning", "unknown"]
    assert [row.status for row in report.rows] == ["HTTP 202", "HTTP 202", "0xC122", "0xB000", "HTTP 202"]
    assert report.rows[2].message == "transfer syntax not supported"
    assert report.as_dict()["destinations"][0]["series"][0]["outcome"] == "partly sent"


def test_what_failed_for_lack_of_room_is_sent_again_alone(web, send, said, answers, uids):
    def full(handler, _):
        answers.reply(handler, 202, answers.stow(uids[:4], [(uids[4], 0xA700)]))

    server = web(full, answers.stored)
    assert said(send(server.url, retries=1)) == {"stored": 5}
    assert server.uids() == [*uids, uids[4]]


def test_conflict(web, send, said, answers):
    def answer(handler, sent):
        answers.reply(handler, 409, answers.stow((), [(uid, 0x0110) for uid in sent[:4]]))

    server = web(answer)
    report = send(server.url, retries=2)
    assert said(report) == {"refused": 5}
    assert [row.status for row in report.rows] == ["0x0110"] * 4 + ["HTTP 409"]
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("code", "state"), [(204, "unknown"), (206, "stored"), (400, "refused"), (500, "unknown")]
)
def test_success_of_an_instance_is_not_believed_of_a_request_that_failed(
    web, send, said, answers, uids, code, state
):
    body = b"" if code == 204 else answers.stow(uids)
    report = send(web(answers.status(code, body, "application/dicom+json")).url)
    assert said(report) == {state: 5}


def test_early_hints_are_no_answer(listener, send, said):
    def talk(connection):
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 103 Early Hints\r\n\r\n")
        connection.close()

    assert said(send(f"http://127.0.0.1:{listener(talk)}")) == {"unknown": 5}


def test_there_already(web, send, said, answers):
    def answer(handler, sent):
        answers.reply(handler, 409, answers.stow((), [(uid, 0x0111) for uid in sent]))

    assert said(send(web(answer).url)) == {"warning": 5}


def test_a_failure_counts_more_than_a_success(web, send, said, answers, uids):
    body = json.loads(answers.stow(uids)) | json.loads(answers.stow((), [(uids[0], 0xC000)]))
    report = send(web(answers.status(200, json.dumps(body).encode(), "application/dicom+json")).url)
    assert said(report) == {"stored": 4, "refused": 1}


@pytest.mark.parametrize("code", [408, 429, 503])
def test_busy_then_well_after_the_time_that_it_asks_for(web, send, said, answers, code):
    server = web(answers.status(code, Retry_After="1"), answers.stored)
    began = time.monotonic()
    report = send(server.url, retries=1)
    assert 1 <= time.monotonic() - began < 15
    assert said(report) == {"stored": 5}
    assert {row.attempts for row in report.rows} == {2}


def test_busy_for_longer_than_we_wait(web, send, said, answers):
    server = web(answers.status(503, Retry_After="3600"))
    report = send(server.url, retries=5, batch_files=2)
    assert len(server.requests) == 1
    assert said(report) == {"refused": 2, "pending": 3}
    assert report.destinations[0].stopped == "it wants to be left alone for 3600 s"


@pytest.mark.parametrize("code", [503, 507])
def test_always_busy(web, send, said, answers, code):
    server = web(answers.status(code))
    assert said(send(server.url, retries=2)) == {"refused": 5}
    assert len(server.requests) == 3


def test_an_error_of_the_server_tells_nothing(web, send, said, answers):
    server = web(answers.status(500, b"stack trace"))
    report = send(server.url, retries=1)
    assert said(report) == {"unknown": 5}
    assert {row.status for row in report.rows} == {"HTTP 500"}
    assert len(server.requests) == 2


@pytest.mark.parametrize("code", [401, 403, 404])
def test_no_access_is_not_tried_again(web, send, said, answers, code):
    server = web(answers.status(code))
    report = send(server.url, retries=3, batch_files=2)
    assert said(report) == {"refused": 5}
    assert len(server.requests) == 1
    assert report.rows[4].message == f"not sent: the server answers HTTP {code}"


def test_a_request_that_is_wrong(web, send, said, answers):
    report = send(web(answers.status(415, b"no")).url, retries=3)
    assert said(report) == {"refused": 5}
    assert {row.status for row in report.rows} == {"HTTP 415"}


def test_too_large_is_sent_in_halves(web, send, said, answers):
    def answer(handler, sent):
        if len(sent) > 2:
            answers.reply(handler, 413)
        else:
            answers.stored(handler, sent)

    server = web(answer)
    assert said(send(server.url)) == {"stored": 5}
    assert [body.count(b"application/dicom\r\n") for _, _, body in server.requests] == [5, 2, 3, 1, 2]


def test_no_half_follows_one_that_shows_that_it_would_be_of_no_use(web, send, said, answers):
    server = web(answers.status(413), answers.status(401))
    assert said(send(server.url)) == {"refused": 5}
    assert len(server.requests) == 2


def test_one_that_is_too_large(web, send, said, answers):
    report = send(web(answers.status(413)).url)
    assert said(report) == {"refused": 5}
    assert {row.status for row in report.rows} == {"HTTP 413"}


@pytest.mark.parametrize("code", [301, 302, 307, 308])
def test_redirects_are_told_and_not_followed(web, send, said, answers, code, monkeypatch):
    monkeypatch.setenv("TOKEN", "hunter2")
    other = web()
    server = web(answers.status(code, Location=f"{other.url}/studies?session=secret"))
    report = send(server.url, token_env="TOKEN", retries=2)
    assert other.requests == []
    assert said(report) == {"refused": 5}
    (message,) = messages(report)
    assert f"a redirect to {other.url}/studies" in message
    assert "secret" not in message


def test_hangs(listener, series, plugins):
    def talk(connection):
        while connection.recv(65536):
            pass

    began = time.monotonic()
    sender = plugins.registry("sender").resolve("dicomweb")()
    options = {"read-timeout": "0.5", "connect-timeout": "1", "batch-files": "2", "batch-size": "64"}
    said = list(sender.send(sorted(series.iterdir()), f"http://127.0.0.1:{listener(talk)}", options))
    assert time.monotonic() - began < 10
    assert [one.state for one in said] == ["unknown", "unknown", "pending", "pending", "pending"]
    assert said[0].message.startswith("no answer of http://127.0.0.1:")
    assert said[4].message.startswith("not sent: no answer of")


def test_an_answer_that_is_cut_off(listener, send, said):
    def talk(connection):
        connection.recv(65536)
        connection.sendall(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/dicom+json\r\nContent-Length: 500\r\n\r\n{"
        )
        connection.shutdown(socket.SHUT_RDWR)

    report = send(f"http://127.0.0.1:{listener(talk)}")
    assert said(report) == {"unknown": 5}


def test_an_answer_that_never_ends(listener, send, said, monkeypatch):
    monkeypatch.setattr("dicomwright_node.senders.http_exchange._LONGEST_ANSWER", 1_000_000)

    def talk(connection):
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/dicom+json\r\n\r\n[")
        try:
            while True:
                connection.sendall(b" " * 65536)
        except OSError:
            pass

    report = send(f"http://127.0.0.1:{listener(talk)}")
    assert said(report) == {"unknown": 5}
    assert "the answer is too long" in messages(report).pop()


def test_an_answer_that_drips(listener, send, said):
    def talk(connection):
        connection.recv(65536)
        connection.sendall(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/dicom+json\r\nContent-Length: 500\r\n\r\n"
        )
        try:
            while True:
                connection.sendall(b" ")
                time.sleep(0.1)
        except OSError:
            pass

    began = time.monotonic()
    report = send(f"http://127.0.0.1:{listener(talk)}", read_timeout=1)
    assert time.monotonic() - began < 20
    assert said(report) == {"unknown": 5}


@pytest.mark.parametrize("what", ["nobody", "no-address"])
def test_no_connection(free_port, send, said, what):
    url = f"http://127.0.0.1:{free_port}" if what == "nobody" else "http://no-such-host.invalid"
    report = send(url, retries=1)
    assert said(report) == {"pending": 5}
    assert {row.attempts for row in report.rows} == {0}
    assert messages(report).pop().startswith(f"no connection to {url}: ")


def test_a_path_may_have_blanks_and_umlauts(web, send, said):
    server = web()
    assert said(send(f"{server.url}/b b/ä%20ö")) == {"stored": 5}
    assert server.requests[0][0] == "/dicom-web/b%20b/%C3%A4%20%C3%B6/studies"


def test_accepts_and_closes(listener, send, said):
    report = send(f"http://127.0.0.1:{listener(lambda connection: connection.close())}")
    assert not report.complete
    assert set(said(report)) <= {"unknown", "pending"}


def test_not_http(listener, send, said):
    def talk(connection):
        connection.recv(65536)
        connection.sendall(b"\x03\0\0\0\0\4\0\1\1\1")
        connection.close()

    assert said(send(f"http://127.0.0.1:{listener(talk)}")) == {"unknown": 5}


def test_basic_authentication_from_a_file(web, send, tmp_path):
    (tmp_path / "password").write_text("hünter2\n", encoding="utf-8")
    server = web()
    report = send(server.url, user="jane", password_file=tmp_path / "password")
    assert report.complete
    sent = server.requests[0][1]["Authorization"]
    assert sent == "Basic " + base64.b64encode("jane:hünter2".encode()).decode()
    assert "hünter2" not in json.dumps(report.as_dict(), ensure_ascii=False)
    assert "hünter2".encode() not in report.ledger.read_bytes()


def test_a_token_from_the_environment(web, send, monkeypatch):
    monkeypatch.setenv("PACS_TOKEN", "abc.def")
    server = web()
    assert send(server.url, token_env="PACS_TOKEN").complete
    assert server.requests[0][1]["Authorization"] == "Bearer abc.def"


def test_nothing_is_taken_from_the_environment_unasked(web, send, tmp_path, monkeypatch):
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login jane password hunter2\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    server = web()
    assert send(server.url).complete
    assert "Authorization" not in server.requests[0][1]


@pytest.mark.parametrize(
    ("url", "options", "text"),
    [
        ("http://pacs.example", {"user": "a", "password_env": "SECRET"}, "credentials over http can be read"),
        ("https://h", {"user": "a"}, "user and password belong together"),
        ("https://h", {"password_env": "SECRET"}, "user and password belong together"),
        ("https://h", {"token_env": "NOT_SET"}, "the environment variable NOT_SET is not set"),
        ("https://h", {"token_file": "/nowhere"}, "option token-file: /nowhere cannot be read (No such file"),
        ("https://h", {"token_env": "SECRET", "token_file": "/nowhere"}, "are both given"),
        ("https://h", {"token_env": "SECRET", "user": "a", "password_env": "SECRET"}, "a token and a user"),
        ("https://h", {"token_env": "LINES"}, "the token has control characters or several lines"),
        ("https://h", {"batch_files": "none"}, "option batch-files is 'none'"),
        ("http://h", {"ca": __file__}, "option ca is of no use without TLS"),
        ("https:", {}, "is no address of a DICOMweb server"),
        ("https://jane@h", {}, "is no address of a DICOMweb server"),
        ("https://pacs..example", {}, "is no address of a DICOMweb server"),
        ("https://h", {"token_env": "UMLAUT"}, "the token has characters that are not ASCII"),
    ],
)
def test_options_that_are_wrong(send, monkeypatch, url, options, text):
    monkeypatch.setenv("SECRET", "hunter2")
    monkeypatch.setenv("UMLAUT", "hunter2ä€")
    monkeypatch.setenv("LINES", "hunter2\r\nX-Injected: 1")
    with pytest.raises(DeliveryError) as refused:
        send(url, **options)
    assert text in str(refused.value)
    assert "hunter2" not in str(refused.value)
