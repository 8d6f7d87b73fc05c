"""The gate in memory and the gate behind its socket keep the same contract."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from captive_portal.gate import protocol as p
from captive_portal.gate.client import GateClient, SocketGateClient
from captive_portal.gate.errors import GateUnreachable
from captive_portal.gate.memory import MemoryGate
from captive_portal.gate.permissions import Caller
from captive_portal.gate.policy.session import ObservedPhone
from captive_portal.gate.server import Server
from device.clock import HeldClock, SystemClock
from device.logs import open_log
from tests.captive_portal.gate.conftest import Box
from tests.captive_portal.gate.sites import MORNING, a_site, ip, mac

Arrive = Callable[[int], None]


class Real:
    """A server on a thread, with a kernel and address bindings in memory."""

    def __init__(self, folder: Path) -> None:
        self.box = Box(folder)
        self.path = folder / "gate.sock"
        self.server = Server(
            self.path, dict.fromkeys((0, os.getuid()), Caller.STAFF), self.box.gate, SystemClock(), open_log("gate")
        )
        self.thread = threading.Thread(target=self.server.serve)
        self.thread.start()
        self.client = SocketGateClient(self.path)

    def arrive(self, number: int) -> None:
        self.box.bindings[ip(number)] = ObservedPhone("hall", mac(number), ip(number))

    def stop(self) -> None:
        self.client.close()
        self.server.stop()
        self.thread.join()


@pytest.fixture(params=["memory", "socket"])
def gate(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[GateClient, Arrive]]:
    """A client, and how phones connect."""
    if request.param == "memory":
        memory = MemoryGate(a_site(), HeldClock(MORNING))
        yield memory, lambda n: memory.arrive(ip(n), mac(n))
        return
    real = Real(tmp_path)
    yield real.client, real.arrive
    real.stop()


Gate = tuple[GateClient, Arrive]


def one_tap(number: int) -> p.Open:
    return p.Open(ip=ip(number), method="one_tap", language="ja", device="ios")


def test_a_phone_logs_in_and_out(gate: Gate) -> None:
    client, arrive = gate
    arrive(1)
    assert client.lookup(ip(1)).state is p.PhoneState.WAITING
    opened = client.open(one_tap(1))
    assert isinstance(opened, p.Opened)
    online = client.lookup(ip(1))
    assert online.state is p.PhoneState.ONLINE
    assert online.session is not None
    assert (online.session.session, online.session.seconds_left) == (opened.session, 3600)
    assert client.end(ip=ip(1)) == 1
    assert client.end(ip=ip(1)) == 0
    assert client.lookup(ip(1)).state is p.PhoneState.ENDED


def test_an_unknown_phone_is_told_so(gate: Gate) -> None:
    client, _ = gate
    assert client.lookup(ip(1)).state is p.PhoneState.UNKNOWN
    assert client.open(one_tap(1)) == p.Refused(refused=p.RefusalReason.NO_LEASE)


def test_staff_see_block_and_unblock(gate: Gate) -> None:
    client, arrive = gate
    arrive(1)
    client.open(one_tap(1))
    (shown,) = client.sessions("hall")
    assert (shown.mac, shown.ip, shown.device) == (mac(1), ip(1), "ios")
    assert client.sessions("elsewhere") == []
    assert client.block(session=shown.session) == 1
    assert client.lookup(ip(1)).state is p.PhoneState.BLOCKED
    (blocked,) = client.blocked_phones()
    assert (blocked.spot, blocked.mac) == ("hall", mac(1))
    assert blocked.since is not None
    assert client.unblock(block="another") == 0
    assert client.unblock(block=blocked.block) == 1
    client.block(ip=ip(1))
    assert client.unblock(mac(1)) == 1
    assert client.blocked_phones() == []


def test_a_token_resumes_on_another_phone(gate: Gate) -> None:
    client, arrive = gate
    arrive(1)
    arrive(2)
    opened = client.open(one_tap(1))
    assert isinstance(opened, p.Opened)
    moved = client.resume(ip(2), opened.token)
    assert isinstance(moved, p.Opened)
    assert moved.session == opened.session
    assert client.lookup(ip(1)).state is not p.PhoneState.ONLINE


def test_disaster_mode_is_switched_and_seen(gate: Gate) -> None:
    client, arrive = gate
    arrive(1)
    assert client.set_disaster(p.SetDisaster(on=True, reason="flood", by="s1", drill=True)).drill
    assert client.disaster().reason == "flood"
    assert client.lookup(ip(1)).disaster
    assert not client.set_disaster(p.SetDisaster(on=False)).on


def test_events_are_drained_by_their_numbers(gate: Gate) -> None:
    client, arrive = gate
    arrive(1)
    client.open(one_tap(1))
    client.note_refused(p.NoteRefused(ip=ip(1), method="voucher", why="used"))
    first, second = client.drain_usage()
    assert (first.kind, second.kind, second.why) == ("opened", "refused", "used")
    assert client.drain_usage(acknowledged=first.number) == [second]
    assert client.drain_usage(acknowledged=second.number) == []
    assert client.health().online == 1


def test_a_gate_that_is_not_there_is_unreachable(tmp_path: Path) -> None:
    memory = MemoryGate(a_site(), HeldClock(MORNING))
    memory.down = True
    for client in (memory, SocketGateClient(tmp_path / "none.sock")):
        with pytest.raises(GateUnreachable):
            client.lookup(ip(1))
