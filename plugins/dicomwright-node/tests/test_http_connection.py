"""Connections that wait for ever, and too many of them."""

from __future__ import annotations

import asyncio
import socket
import time
from http.client import HTTPConnection

import pytest
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from dicomwright_node.config import HttpConfig, NodeConfig, StowConfig
from dicomwright_node.http_server import HttpServer

HEAD = b"GET /who HTTP/1.1\r\nHost: 127.0.0.1\r\n"


async def _slow(request):
    body = await request.body()
    await asyncio.sleep(0.5)
    return PlainTextResponse(str(len(body)))


@pytest.fixture
def port(monkeypatch):
    """Return the port of a server that is not patient."""
    monkeypatch.setattr("dicomwright_node.http_connection._SECONDS", 0.2)
    monkeypatch.setattr("dicomwright_node.http_connection._MOST", 3)
    who = Route("/who", lambda request: PlainTextResponse(request.client.host))
    slow = Route("/slow", _slow, methods=["POST"])
    config = NodeConfig(http=HttpConfig(port=0), stow=StowConfig(enabled=False))
    server = HttpServer(config, None, [who, slow])
    yield server.start()
    server.stop()
    server.join()


def ended(connection, seconds=2.0):
    """Return whether the server closes a connection within some seconds."""
    connection.settimeout(seconds)
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True
    except TimeoutError:
        return False


@pytest.mark.parametrize("sent", [b"", HEAD])
def test_who_sends_no_whole_request_is_left(port, sent):
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(sent)
        assert ended(connection)


def test_byte_by_byte_is_no_way_to_stay(port):
    with socket.create_connection(("127.0.0.1", port)) as connection:
        end = time.monotonic() + 2
        while time.monotonic() < end and not ended(connection, 0.02):
            connection.sendall(b"G")
        assert time.monotonic() < end


def test_a_connection_is_kept_while_requests_come(port):
    connection = HTTPConnection("127.0.0.1", port)
    connection.connect()
    used = connection.sock
    for _ in range(8):
        connection.request("GET", "/who")
        assert connection.getresponse().read() == b"127.0.0.1"
        time.sleep(0.08)
    assert connection.sock is used
    connection.close()


def test_a_slow_body_and_a_slow_answer_are_waited_for(port):
    def slowly():
        for _ in range(5):
            yield b"12"
            time.sleep(0.1)

    connection = HTTPConnection("127.0.0.1", port)
    connection.request("POST", "/slow", slowly(), {"Content-Length": "10"})
    assert connection.getresponse().read() == b"10"
    connection.close()


def test_of_too_many_connections_the_oldest_silent_one_makes_room(port, monkeypatch):
    monkeypatch.setattr("dicomwright_node.http_connection._SECONDS", 60)
    silent = [socket.create_connection(("127.0.0.1", port)) for _ in range(3)]
    one_more = HTTPConnection("127.0.0.1", port)
    one_more.request("GET", "/who")
    assert one_more.getresponse().status == 200
    assert [ended(connection, 0.1) for connection in silent] == [True, False, False]
    one_more.close()
    for connection in silent:
        connection.close()


def test_what_a_server_before_it_says_of_its_clients_counts_for_nothing(port):
    connection = HTTPConnection("127.0.0.1", port)
    connection.request("GET", "/who", headers={"X-Forwarded-For": "192.0.2.7"})
    assert connection.getresponse().read() == b"127.0.0.1"
    connection.close()
