"""The exchange with a peer that nobody trusts: whatever it sends, one total deadline and one limit hold."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.issuer.revocation.http_exchange import MAX_BODY_BYTES, HttpExchange
from kiosk.issuer.revocation.ocsp_messages import AnswerRefused

Peer = Callable[[list[bytes]], HttpExchange]


@pytest.fixture
def peer() -> Iterator[Peer]:
    """A peer that sends these pieces to whoever asks, then closes."""
    doors: list[socket.socket] = []

    def start(pieces: list[bytes]) -> HttpExchange:
        door = socket.create_server(("127.0.0.1", 0))
        doors.append(door)

        def serve() -> None:
            line, _ = door.accept()
            with line:
                question = b""
                while not question.endswith(b"question"):
                    question += line.recv(4096)
                try:
                    for piece in pieces:
                        line.sendall(piece)
                except OSError:
                    return

        threading.Thread(target=serve, daemon=True).start()
        return HttpExchange(f"http://127.0.0.1:{door.getsockname()[1]}/ocsp", 5.0)

    yield start
    for door in doors:
        door.close()


def reason(exchange: HttpExchange) -> object:
    with pytest.raises(AnswerRefused) as told:
        exchange.post(b"question")
    return told.value.facts["reason"]


@pytest.mark.parametrize(
    ("pieces", "body"),
    [
        ([b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nyes"], b"yes"),
        ([b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nyes and more"], b"yes"),
        ([b"HTTP/1.1 200 OK\r\n\r\n", b"ye", b"s"], b"yes"),
        ([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nyes\r\n0\r\n\r\n"], b"yes"),
        ([b"H", b"TTP/1.0 200 OK\r", b"\n\r", b"\ny"], b"y"),
    ],
)
def test_what_is_whole_is_taken(peer: Peer, pieces: list[bytes], body: bytes) -> None:
    assert peer(pieces).post(b"question") == body


@pytest.mark.parametrize(
    ("pieces", "why"),
    [
        ([b""], "http"),
        ([b"SSH-2.0-x\r\n\r\n"], "http"),
        ([b"HTTP/1.0 302 Found\r\nLocation: http://example.jp/\r\n\r\n"], "http"),
        ([b"HTTP/1.0 200 OK\r\nContent-Length: 9\r\n\r\nyes"], "http"),
        ([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nyes\r\n"], "http"),
        ([b"HTTP/1.0 200 OK\r\nContent-Length: 65537\r\n\r\n"], "too_large"),
        ([b"HTTP/1.0 200 OK\r\n" + b"X: x\r\n" * 200], "http"),
        ([b"HTTP/1.0 200 OK\r\n\r\n" + b"x" * (MAX_BODY_BYTES + 9000)], "too_large"),
    ],
)
def test_what_is_not_is_refused(peer: Peer, pieces: list[bytes], why: str) -> None:
    assert reason(peer(pieces)) == why


def test_nobody_there_is_told() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    exchange = HttpExchange(f"http://127.0.0.1:{port}/", 5.0)
    assert reason(exchange) == "unreachable"


@given(st.binary(max_size=400))
def test_any_bytes_are_a_body_or_refused(content: bytes) -> None:
    door = socket.create_server(("127.0.0.1", 0))
    exchange = HttpExchange(f"http://127.0.0.1:{door.getsockname()[1]}/", 5.0)

    def serve() -> None:
        line, _ = door.accept()
        with line:
            question = b""
            while not question.endswith(b"question"):
                question += line.recv(4096)
            line.sendall(b"HTTP/1." + content)

    serving = threading.Thread(target=serve)
    serving.start()
    try:
        assert isinstance(exchange.post(b"question"), bytes)
    except AnswerRefused:
        pass
    finally:
        serving.join(5)
        door.close()
