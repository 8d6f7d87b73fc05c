"""N6, N7: another program empties or deletes one object of the gate's tables, or one of its routing rules, while the
gate runs and while it is killed: nothing passes without it, through the box and into the box.
"""

from __future__ import annotations

import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import suppress

import pytest

from captive_portal.gate.client import SocketGateClient
from tests.net.topology import Phone, Topology, in_namespace, until

pytestmark = pytest.mark.needs("root", "nft", "ip")
TABLES = (("inet", "hiroba"), ("inet", "hiroba_guard"), ("arp", "hiroba_arp"))
STAFF_PORT = 2222
"""A listener of the box that is no business of phones."""
Damage = tuple[str, ...]
"""Words for the nft program, or for ip."""


def every_damage(plaza: Topology) -> list[Damage]:
    """Flush and delete each chain, set and map, and each table; delete each routing rule."""
    found: list[Damage] = []
    for family, table in TABLES:
        listing = plaza.nft("-t", "list", "table", family, table)
        for kind, name in re.findall(r"^\s(chain|set|map) (\w+) {", listing, re.M):
            found += [("nft", action, kind, family, table, name) for action in ("flush", "delete")]
        found += [("nft", action, "table", family, table) for action in ("flush", "delete")]
    rules = [("ip", family, "rule", "del", "priority", "99") for family in ("-4", "-6")]
    return [*found, *rules]


@pytest.fixture(scope="module")
def staff_port(plaza: Topology) -> Iterator[None]:
    """Something listens on every address of the box, in both families."""
    with in_namespace(plaza.gateway, lambda: socket.socket(socket.AF_INET6, socket.SOCK_STREAM)) as listener:
        listener.bind(("::", STAFF_PORT))
        listener.listen(64)
        yield


@pytest.fixture(scope="module")
def gate(plaza: Topology, staff_port: None) -> SocketGateClient:
    gate = plaza.start_gate()
    plaza.login(gate, "ended")
    gate.end(ip=plaza.phones["ended"].ip4)
    return gate


def do_damage(plaza: Topology, damage: Damage) -> bool:
    """False when the kernel refuses it: a chain or set in use cannot be deleted."""
    command = ["ip", "netns", "exec", plaza.gateway, *damage]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


def into_the_box(plaza: Topology) -> set[str]:
    """Addresses of the box at which its closed port answers a phone."""
    return {to for to in ("10.90.0.1", "fd00:90::1", "198.18.0.2", "2001:db8:f::2") if _connects(plaza, to)}


def _connects(plaza: Topology, to: str) -> bool:
    family = socket.AF_INET6 if ":" in to else socket.AF_INET
    with plaza.phones["attacker"].socket(family, socket.SOCK_STREAM) as phone, suppress(OSError):
        phone.settimeout(0.15)
        phone.connect((to, STAFF_PORT))
        return True
    return False


def forgotten_gateway(plaza: Topology) -> list[Phone]:
    """The phones; they ask anew where the gateway is."""
    for phone in plaza.phones.values():
        subprocess.run(["ip", "-n", phone.space, "neighbour", "flush", "dev", "eth0"], check=True)
    return list(plaza.phones.values())


def passed(plaza: Topology) -> set[str]:
    """What a phone without a session and one whose session ended get through, and into the box."""
    return plaza.leaks("attacker") | plaza.leaks("ended") | into_the_box(plaza)


def test_nothing_passes_with_one_object_missing_or_empty_while_nobody_repairs(
    plaza: Topology, gate: SocketGateClient
) -> None:
    damages = every_damage(plaza)
    assert {d[5] for d in damages if len(d) == 6 and d[0] == "nft"} >= {
        "arrive",
        "forward",
        "box",
        "up_0",
        "up4",
        "live",
    }
    plaza.stop_gate(signal.SIGKILL)
    found, unanswered = {}, []
    for damage in damages:
        if do_damage(plaza, damage):
            found[damage] = passed(plaza)
            plaza.start_gate()  # puts everything back
            if not all(phone.say_hello() for phone in forgotten_gateway(plaza)):
                unanswered.append(damage)
            plaza.stop_gate(signal.SIGKILL)
    plaza.start_gate()
    assert unanswered == []
    assert {damage for damage in damages if damage[1] == "flush" and damage not in found} == set()
    assert found.keys() >= {("nft", "delete", "chain", *table, "forward") for table in TABLES[:2]}
    assert {damage: names for damage, names in found.items() if names} == {}


def test_nothing_passes_while_the_gate_puts_a_piece_back(plaza: Topology, gate: SocketGateClient) -> None:
    gate = plaza.wait_ready()
    found = {}
    for damage in every_damage(plaza):
        if damage[2] in {"chain", "table", "rule"} and do_damage(plaza, damage):
            found[damage] = passed(plaza)
            until(lambda: is_whole(plaza))
    assert {damage: names for damage, names in found.items() if names} == {}
    assert gate.health().ready


def is_whole(plaza: Topology) -> bool:
    """All base chains of both tables, with rules in them, and both routing rules."""
    chains = {(table, name): body for table in TABLES for name, body in _chains(plaza, table)}
    base = [(TABLES[0], name) for name in ("arrive", "forward", "box")]
    base += [(TABLES[1], name) for name in ("forward", "box")] + [(TABLES[2], "input")]
    rules = [
        subprocess.run(["ip", "-n", plaza.gateway, f, "rule"], check=True, capture_output=True).stdout
        for f in ("-4", "-6")
    ]
    return all("iifname" in chains.get(key, "") for key in base) and all(b"prohibit" in shown for shown in rules)


def _chains(plaza: Topology, table: tuple[str, str]) -> list[tuple[str, str]]:
    with suppress(subprocess.CalledProcessError):
        return re.findall(r"chain (\w+) {(.*?)\n\s}", plaza.nft("-t", "list", "table", *table), re.S)
    return []
