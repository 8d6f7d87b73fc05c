"""IPv6 addresses in the connection log, by packets: each address that something was sent from, and nobody else's."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from pathlib import Path

import pytest

from captive_portal.gate import protocol as p
from captive_portal.gate.client import SocketGateClient
from captive_portal.gate.connection_log.entry import ConnectionLogEntry
from captive_portal.gate.connection_log.sealing import new_key, unseal_entries
from captive_portal.gate.database import Database
from tests.net.topology import FAR6, Topology, topology

pytestmark = [pytest.mark.attacks, pytest.mark.needs("root", "nft", "ip")]
PRIVATE, PUBLIC = new_key()


@pytest.fixture(scope="module")
def plaza(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Topology, SocketGateClient]]:
    log = f'[wifi.log]\nkey = "{PUBLIC}"'
    with topology(tmp_path_factory.mktemp("log"), more=log) as net:
        yield net, net.start_gate()


def entries(net: Topology) -> list[ConnectionLogEntry]:
    database = Database(net.folder / "gate" / "sessions.db")
    records = database.sealed(date(2000, 1, 1), date(2199, 1, 1))
    database.store.close()
    return [e for r in records if r.link for e in unseal_entries(PRIVATE, r.box, r.link.bound_to())]


def send_from(net: Topology, name: str, addresses: list[str]) -> None:
    """A datagram to the far side from each address."""
    phone = net.phones[name]
    for address in addresses:
        if address != phone.ip6:
            words = ["ip", "-n", phone.space, "addr", "add", f"{address}/64", "dev", "eth0", "nodad"]
            subprocess.run(words, check=True)
        with phone.socket(socket.AF_INET6) as made, suppress(OSError):
            made.bind((address, 0))
            made.sendto(b"hello", (FAR6, 7000))
    net.let_all_arrive()


def test_each_address_that_was_sent_from_is_in_the_entry_and_no_other_phones(
    plaza: tuple[Topology, SocketGateClient],
) -> None:
    net, gate = plaza
    phone = net.phones["online"]
    opened, other = net.login(gate, "online"), net.login(gate, "neighbour")
    send_from(net, "online", [phone.ip6, "fd00:90::beef"])
    send_from(net, "neighbour", [net.phones["neighbour"].ip6])
    for session in (opened.session, other.session):
        gate.end(session=session, reason=p.EndReason.STAFF)
    found = {entry.session: entry.ip6 for entry in entries(net)}
    assert found[opened.session] == sorted([phone.ip6, "fd00:90::beef"])
    assert found[other.session] == [net.phones["neighbour"].ip6]


def test_an_address_of_an_earlier_session_is_not_in_the_next_ones_entry(
    plaza: tuple[Topology, SocketGateClient],
) -> None:
    net, gate = plaza
    opened = net.login(gate, "online")
    gate.end(session=opened.session, reason=p.EndReason.STAFF)
    assert [entry.ip6 for entry in entries(net) if entry.session == opened.session] == [[]]


def test_a_phone_with_hundreds_of_addresses_passes_from_none_that_is_not_logged(
    plaza: tuple[Topology, SocketGateClient],
) -> None:
    net, gate = plaza
    opened = net.login(gate, "attacker")
    net.heard_far()
    send_from(net, "attacker", [f"fd00:90::a:{n:x}" for n in range(150)])
    passed = {source for source, to in net.heard_far() if to == FAR6 and source.startswith("fd00:90::a:")}
    gate.end(session=opened.session, reason=p.EndReason.STAFF)
    logged = {address for entry in entries(net) if entry.session == opened.session for address in entry.ip6}
    assert passed
    assert passed <= logged
    assert len(passed) < 60


def test_a_log_of_yesterdays_release_goes_on(tmp_path: Path) -> None:
    """Its database has no links; the entry of a session that was open over the update has its addresses."""
    database = Database(tmp_path / "sessions.db")
    with database.store.transaction() as connection:
        connection.execute("DROP TABLE sealed_link")
        connection.execute("PRAGMA user_version = 4")
        connection.execute("DELETE FROM schema_step WHERE number = 5")
        connection.execute("INSERT INTO sealed (day, box) VALUES ('2026-11-30', x'00')")
    database.close()
    again = Database(tmp_path / "sessions.db")
    assert [(record.day, record.link) for record in again.sealed(date(2000, 1, 1), date(2199, 1, 1))] == [
        ("2026-11-30", None)
    ]
    again.close()
