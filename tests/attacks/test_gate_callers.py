"""Every operation of the gate's socket, asked by processes of other users: each gets what its unit needs."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import get_args

import pytest

from captive_portal.gate import permissions
from captive_portal.gate import protocol as p
from captive_portal.gate.memory import MemoryGate
from captive_portal.gate.permissions import Caller, callers, may
from captive_portal.gate.server import Server
from captive_portal.wiring_virtual_gate import MemoryRequestHandler
from device.clock import SystemClock
from device.logs import open_log
from tests.captive_portal.gate.sites import a_site

pytestmark = [pytest.mark.attacks, pytest.mark.needs("root")]
USERS = {Caller.STAFF: 0, Caller.PORTAL: 61_001, Caller.STATS: 61_002, Caller.OTHER: 61_003}
NOBODY = 65_534
IP = "10.90.0.5"
REQUESTS: dict[str, p.Request] = {
    "lookup": p.Lookup(ip=IP),
    "open": p.Open(ip=IP, method="one_tap"),
    "extend": p.Extend(ip=IP),
    "resume": p.Resume(ip=IP, token="none"),
    "log out": p.End(ip=IP),
    "end another's": p.End(session="0123456789abcdef"),
    "end as staff": p.End(ip=IP, reason=p.EndReason.STAFF),
    "note refused": p.NoteRefused(ip=IP, method="voucher", why="voucher"),
    "see disaster": p.GetDisaster(),
    "usage": p.DrainUsage(),
    "health": p.GetHealth(),
    "list": p.ListSessions(),
    "block": p.Block(ip=IP),
    "unblock": p.Unblock(),
    "list blocked": p.ListBlockedPhones(),
    "switch disaster": p.SetDisaster(on=True, reason="TEST"),
}
ALLOWED = {
    Caller.STAFF: set(REQUESTS),
    Caller.PORTAL: {"lookup", "open", "extend", "resume", "log out", "note refused", "see disaster", "health"},
    Caller.STATS: {"usage", "health"},
    Caller.OTHER: {"health"},
}


class Gate:
    """The real socket server before the gate in memory, in a folder that everybody may walk through."""

    def __init__(self, folder: Path) -> None:
        self.path, self.log = folder / "gate.sock", StringIO()
        self._program = shutil.copy(Path(__file__).with_name("gate_caller.py"), folder)
        clock = SystemClock()
        memory = MemoryGate(a_site(), clock)
        memory.arrive(IP, "02:00:00:00:00:05")
        known = {number: caller for caller, number in USERS.items()}
        handler = MemoryRequestHandler(memory, clock)
        self._server = Server(self.path, known, handler, clock, open_log("gate", self.log))
        self._thread = threading.Thread(target=self._server.serve)
        self._thread.start()

    def ask(self, user: int, request: p.Request) -> str:
        """The answer's type, or a Fault's code, to a process of this user."""
        words = ["/usr/bin/python3", str(self._program), str(self.path), p.pack(request)[4:].decode()]
        done = subprocess.run(words, check=True, capture_output=True, text=True, user=user, group=user, extra_groups=[])
        if done.stdout == "closed":
            return "closed"
        answer = json.loads(done.stdout)
        return str(answer.get("code", answer["type"]))

    def close(self) -> None:
        self._server.stop()
        self._thread.join()


@pytest.fixture(scope="module")
def gate() -> Iterator[Gate]:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        made = Gate(Path(folder))
        yield made
        made.close()


@pytest.mark.parametrize("caller", Caller)
@pytest.mark.parametrize("operation", REQUESTS)
def test_a_process_of_each_user_gets_what_its_unit_needs_and_no_more(
    gate: Gate, caller: Caller, operation: str
) -> None:
    answer = gate.ask(USERS[caller], REQUESTS[operation])
    assert (answer == "gate.not_permitted") is (operation not in ALLOWED[caller])
    if operation not in ALLOWED[caller]:
        last = json.loads(gate.log.getvalue().splitlines()[-1])
        assert (last["event"], last["caller"]) == ("operation_refused", caller.value)


@pytest.mark.parametrize("operation", REQUESTS)
def test_an_unknown_user_is_not_heard_and_the_log_says_so(gate: Gate, operation: str) -> None:
    assert gate.ask(NOBODY, REQUESTS[operation]) == "closed"
    last = json.loads(gate.log.getvalue().splitlines()[-1])
    assert (last["event"], last["user"]) == ("caller_refused", NOBODY)


def test_a_refused_operation_among_allowed_ones_stops_them_all(gate: Gate) -> None:
    frames = p.pack(p.GetHealth()) + p.pack(p.SetDisaster(on=True)) + p.pack(p.GetHealth())
    code = f"""
import socket
made = socket.socket(socket.AF_UNIX)
made.connect({str(gate.path)!r})
made.sendall({frames!r})
print(made.recv(4096))
"""
    words = ["/usr/bin/python3", "-c", code]
    done = subprocess.run(words, check=True, capture_output=True, text=True, user=USERS[Caller.PORTAL], extra_groups=[])
    assert "gate.not_permitted" in done.stdout
    assert "disaster" not in done.stdout


def test_the_table_knows_every_request() -> None:
    assert set(permissions.OPERATIONS) == set(get_args(p.Request)) == {type(each) for each in REQUESTS.values()}
    assert all(may(Caller.STAFF, request) for request in REQUESTS.values())


def test_units_are_known_by_name_and_another_name_gets_the_least() -> None:
    numbers = {"hiroba-portal": 11, "hiroba-stats": 12, "someone": 13, "yamada": 14}
    found = callers(10, ["hiroba-portal", "hiroba-stats", "someone", "gone"], ["yamada"], numbers.get)
    assert found == {
        0: Caller.STAFF, 10: Caller.STAFF, 11: Caller.PORTAL, 12: Caller.STATS, 13: Caller.OTHER, 14: Caller.STAFF,
    }  # fmt: skip
