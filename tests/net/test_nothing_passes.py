"""N6, N7: nobody passes without a session, whatever they try and whatever happens to the gate."""

from __future__ import annotations

import re
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest

from captive_portal.gate import protocol as p
from captive_portal.gate.client import SocketGateClient
from tests.net.attempts import ATTEMPTS
from tests.net.topology import Topology, until

pytestmark = pytest.mark.needs("root", "nft", "ip")

PHASES = (
    "before login",
    "after end",
    "after expiry",
    "blocked",
    "stopped",
    "killed",
    "flushed",
    "flushed while killed",
    "restarting",
    "expired while killed",
)


@pytest.fixture(scope="module")
def leaks(plaza: Topology) -> dict[str, set[str]]:
    """What came through in each phase; "online" and "online, gate killed" are what an online phone gets through."""
    gate = plaza.start_gate()
    found: dict[str, set[str]] = {}
    plaza.login(gate, "online")
    plaza.login(gate, "ended")
    gate.end(ip=plaza.phones["ended"].ip4)
    found["before login"] = plaza.leaks("attacker")
    found["online"] = plaza.leaks("online")
    plaza.login(gate, "attacker")
    found["attacker online"] = plaza.leaks("attacker")
    gate.end(ip=plaza.phones["attacker"].ip4)
    found["after end"] = plaza.leaks("attacker")
    _expire_attacker(plaza, gate)
    found["after expiry"] = plaza.leaks("attacker")
    gate.block(ip=plaza.phones["attacker"].ip4)
    found["blocked"] = plaza.leaks("attacker")
    gate.unblock()
    _with_gate_away(plaza, found)
    _with_table_away(plaza, found)
    found["restarting"] = _while_restarting(plaza)
    _expire_while_killed(plaza, found)
    return found


def _expire_attacker(plaza: Topology, gate: SocketGateClient) -> None:
    plaza.login(gate, "attacker", minutes=1)
    plaza.signal_gate(signal.SIGUSR1)
    until(lambda: gate.lookup(plaza.phones["attacker"].ip4).state is p.PhoneState.ENDED, 30)


def _with_gate_away(plaza: Topology, found: dict[str, set[str]]) -> None:
    plaza.stop_gate(signal.SIGTERM)
    found["stopped"] = plaza.leaks("attacker")
    found["online, gate stopped"] = plaza.leaks("online")
    plaza.start_gate()
    plaza.stop_gate(signal.SIGKILL)
    found["killed"] = plaza.leaks("attacker")
    found["online, gate killed"] = plaza.leaks("online")


def _with_table_away(plaza: Topology, found: dict[str, set[str]]) -> None:
    gate = plaza.start_gate()
    plaza.login(gate, "online")
    before = gate.health().repairs
    plaza.nft("flush", "ruleset")
    found["flushed"] = plaza.leaks("attacker")
    until(lambda: gate.health().repairs > before)
    found["flushed"] |= plaza.leaks("attacker")
    found["online, healed"] = plaza.leaks("online")
    plaza.stop_gate(signal.SIGKILL)
    plaza.nft("flush", "ruleset")
    found["flushed while killed"] = plaza.leaks("attacker")
    plaza.start_gate()


def _while_restarting(plaza: Topology) -> set[str]:
    def restart() -> None:
        for number in (signal.SIGTERM, signal.SIGKILL, signal.SIGTERM):
            plaza.stop_gate(number)
            plaza.start_gate()

    found: set[str] = set()
    with ThreadPoolExecutor(1) as pool:
        restarts = pool.submit(restart)
        while not restarts.done():
            found |= plaza.leaks("attacker")
        restarts.result()
    return found


def _expire_while_killed(plaza: Topology, found: dict[str, set[str]]) -> None:
    gate = plaza.wait_ready()
    plaza.login(gate, "attacker", minutes=1)
    plaza.signal_gate(signal.SIGUSR1)
    until(lambda: _kernel_seconds(plaza, "attacker") <= 12)  # the gate has found that less is left
    plaza.stop_gate(signal.SIGKILL)
    found["last seconds"] = plaza.leaks("attacker")
    until(lambda: _kernel_seconds(plaza, "attacker") == 0, 30)
    found["expired while killed"] = plaza.leaks("attacker")


def _kernel_seconds(plaza: Topology, name: str) -> int:
    """Seconds after which the kernel shuts a phone out by itself; 0 when it has."""
    shown = plaza.nft("list", "map", "inet", "hiroba", "up4")
    found = re.search(rf"{plaza.phones[name].mac} [^,]*? expires (?:(\d+)m)?(?:(\d+)s)?(?:\d+ms)? :", shown)
    return 1 + 60 * int(found[1] or 0) + int(found[2] or 0) if found else 0


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("attempt", [a.name for a in ATTEMPTS])
def test_no_attempt_passes(leaks: dict[str, set[str]], attempt: str, phase: str) -> None:
    assert attempt not in leaks[phase]


@pytest.mark.parametrize(
    "phase",
    ["online", "attacker online", "online, gate stopped", "online, gate killed", "online, healed", "last seconds"],
)
def test_what_is_honest_passes_with_a_session(leaks: dict[str, set[str]], phase: str) -> None:
    assert {a.name for a in ATTEMPTS if a.honest} - leaks[phase] == set()


def test_an_online_phone_does_not_pass_under_foreign_addresses(leaks: dict[str, set[str]]) -> None:
    foreign = ("of the gateway", "of no network here", "of the uplink", "zero", "link-local", "of an ended session")
    assert [name for name in leaks["attacker online"] if name.endswith(foreign)] == []
