"""The gate's socket: hostile callers get nowhere and hold nobody up."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captive_portal.gate import protocol as p
from captive_portal.gate import server as served
from captive_portal.gate.client import SocketGateClient
from captive_portal.gate.errors import GateUnreachable
from captive_portal.gate.permissions import Caller
from captive_portal.gate.server import Server, take_frame
from device.clock import HeldClock, SystemClock
from device.logs import open_log
from tests.captive_portal.gate.sites import MORNING


class Counting:
    """A handler that answers every question with how many came with it."""

    def handle(self, requests: Sequence[p.Request]) -> list[p.Answer]:
        return [p.Done(count=len(requests)) for _ in requests]

    def tick(self) -> None:
        return

    def next_due_at(self) -> float:
        return float("inf")


def serve(path: Path, users: set[int], clock: HeldClock | SystemClock) -> tuple[Server, threading.Thread]:
    server = Server(path, dict.fromkeys(users, Caller.STAFF), Counting(), clock, open_log("gate"))
    thread = threading.Thread(target=server.serve)
    thread.start()
    return server, thread


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    server, thread = serve(tmp_path / "s", {os.getuid()}, SystemClock())
    yield tmp_path / "s"
    server.stop()
    thread.join()


def connect(path: Path) -> socket.socket:
    made = socket.socket(socket.AF_UNIX)
    made.connect(str(path))
    made.settimeout(5.0)
    return made


def test_requests_sent_together_are_one_batch(path: Path) -> None:
    with connect(path) as caller:
        caller.sendall(p.pack(p.GetHealth()) * 5)
        answer = p.pack(p.Done(count=5))
        received = b""
        while len(received) < 5 * len(answer):
            received += caller.recv(4096)
        assert received == answer * 5


@pytest.mark.parametrize("sent", [b"\xff\xff\xff\xff", p.HEADER.pack(2) + b"[]", p.HEADER.pack(9) + b'{"type":\xff'])
def test_nonsense_is_answered_with_a_fault_and_disconnected(path: Path, sent: bytes) -> None:
    with connect(path) as caller:
        caller.sendall(sent)
        answer = caller.recv(4096)
        assert p.read_answer(answer[4:]) == p.Fault(code="gate.request_invalid")
        assert caller.recv(1) == b""


def test_another_user_is_refused(tmp_path: Path) -> None:
    server, thread = serve(tmp_path / "s", {os.getuid() + 1}, SystemClock())
    with pytest.raises(GateUnreachable):
        SocketGateClient(tmp_path / "s").health()
    server.stop()
    thread.join()


def test_more_callers_than_fit_push_out_the_one_that_never_asked(path: Path) -> None:
    asked = connect(path)
    asked.sendall(p.pack(p.GetHealth()))
    assert asked.recv(100)
    idle = [connect(path) for _ in range(served.MAX_CONNECTIONS)]
    assert idle[0].recv(1) == b""
    asked.sendall(p.pack(p.GetHealth()))
    assert asked.recv(100)
    for each in (asked, *idle):
        each.close()


def test_one_who_does_not_finish_is_dropped(tmp_path: Path) -> None:
    clock = HeldClock(MORNING)
    server, thread = serve(tmp_path / "s", {os.getuid()}, clock)
    with connect(tmp_path / "s") as slow, connect(tmp_path / "s") as quick:
        slow.sendall(b"\0")
        quick.sendall(p.pack(p.GetHealth()))
        assert quick.recv(100)
        clock.advance(served.MAX_TRANSFER_SECONDS + 1)
        assert slow.recv(1) == b""
    server.stop()
    thread.join()


@given(st.lists(st.binary(max_size=40)), st.integers(1, 60))
def test_frames_come_out_as_they_went_in_however_they_are_cut(bodies: list[bytes], cut: int) -> None:
    stream = b"".join(p.HEADER.pack(len(body)) + body for body in bodies)
    received, found = bytearray(), []
    for at in range(0, len(stream), cut):
        received += stream[at : at + cut]
        while (body := take_frame(received)) is not None:
            found.append(body)
    assert found == bodies
