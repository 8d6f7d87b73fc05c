"""One worker serves and another waits: who takes over, when, and with what. With real processes."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import BytesIO
from threading import Thread

import pytest

from provisioning.web.active_worker import ActiveWorker

Fork = Callable[[Callable[[], object]], int]


@pytest.fixture
def active() -> ActiveWorker:
    """A lock that nobody holds, of workers that listen nowhere."""
    return ActiveWorker(1)


@pytest.fixture
def forked() -> Iterator[Fork]:
    """Run something in a process of its own, which then sleeps until it is ended."""
    children: list[int] = []

    def fork(work: Callable[[], object]) -> int:
        if (child := os.fork()) == 0:
            try:
                work()
                time.sleep(600)
            finally:
                os._exit(7)
        children.append(child)
        return child

    yield fork
    for child in children:
        with suppress(OSError):
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)


@pytest.fixture
def said() -> Iterator[tuple[socket.socket, socket.socket]]:
    """What the processes say: (read here, written there)."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        ours.settimeout(60)
        yield ours, theirs


Said = tuple[socket.socket, socket.socket]


def serves(active: ActiveWorker, say: socket.socket, left: bytes | None) -> None:
    """Serve from the start; hand over as soon as somebody waits."""
    assert active.try_take()
    say.send(b"serves")
    while not active.hand_over(lambda: left):
        time.sleep(0.02)


def waits(active: ActiveWorker, say: socket.socket) -> None:
    active.wait(lambda: say.send(b"lives"))
    say.send(b"took " + active.left)


def heard(ours: socket.socket, wanted: bytes) -> None:
    while ours.recv(100) != wanted:
        pass


def test_without_one_that_waits_nobody_hands_over(active: ActiveWorker) -> None:
    assert active.try_take()
    assert not active.hand_over(lambda: b"left")


def test_the_one_that_waits_lives_and_takes_what_was_left_and_the_former_one_is_told_to_end(
    active: ActiveWorker, forked: Fork, said: Said
) -> None:
    former = forked(lambda: serves(active, said[1], b"left"))
    heard(said[0], b"serves")
    forked(lambda: waits(active, said[1]))
    heard(said[0], b"lives")
    heard(said[0], b"took left")
    assert os.WTERMSIG(os.waitpid(former, 0)[1]) == signal.SIGTERM


def test_when_the_one_that_serves_is_killed_the_next_one_takes_over_and_was_left_nothing(
    active: ActiveWorker, forked: Fork, said: Said
) -> None:
    former = forked(lambda: serves(active, said[1], None))
    heard(said[0], b"serves")
    forked(lambda: waits(active, said[1]))
    heard(said[0], b"lives")
    os.kill(former, signal.SIGKILL)
    heard(said[0], b"took ")


def test_one_that_waits_ends_when_it_is_told_to(active: ActiveWorker, forked: Fork, said: Said) -> None:
    forked(lambda: serves(active, said[1], None))
    heard(said[0], b"serves")
    child = forked(lambda: waits(active, said[1]))
    heard(said[0], b"lives")
    os.kill(child, signal.SIGTERM)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


def test_nothing_is_handed_over_while_a_request_is_inside(active: ActiveWorker, forked: Fork, said: Said) -> None:
    assert active.try_take()
    forked(lambda: waits(active, said[1]))
    heard(said[0], b"lives")
    asked: list[bool] = []

    def app(_environ: object, _start: object) -> list[bytes]:
        asked.append(active.hand_over(lambda: b"left"))
        return [b"answer"]

    assert active.counted(app)({}, lambda *_: None) == [b"answer"]
    assert asked == [False]


class Next(BaseHTTPRequestHandler):
    """The next worker: says what it was asked."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(303)
        self.send_header("Location", "/home")
        self.end_headers()
        self.wfile.write(f"{self.path} {self.headers['Host']} ".encode() + body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_a_request_that_came_too_late_is_answered_by_the_next_worker(forked: Fork, said: Said) -> None:
    server = HTTPServer(("127.0.0.1", 0), Next)
    Thread(target=server.serve_forever, daemon=True).start()
    active, ending = ActiveWorker(server.server_port), signal.signal(signal.SIGTERM, lambda *_: None)
    environ = {
        "REQUEST_METHOD": "POST",
        "RAW_URI": "/home/start",
        "HTTP_HOST": "127.0.0.1",
        "CONTENT_LENGTH": "7",
        "wsgi.input": BytesIO(b"token=x"),
    }
    answers: list[tuple[str, list[tuple[str, str]]]] = []

    def served_late() -> None:
        assert active.try_take()
        said[1].send(b"serves")
        while not active.hand_over(lambda: b""):
            time.sleep(0.02)
        content = active.counted(lambda *_: [b"not this one"])(environ, lambda *answer: answers.append(answer))
        said[1].send(b" ".join([answers[0][0].encode(), *content]))

    try:
        forked(served_late)
        heard(said[0], b"serves")
        forked(lambda: waits(active, said[1]))
        heard(said[0], b"303 See Other /home/start 127.0.0.1 token=x")
    finally:
        signal.signal(signal.SIGTERM, ending)
        server.shutdown()
        server.server_close()
