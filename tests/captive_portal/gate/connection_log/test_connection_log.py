"""Who had which address when: sealed to the city, complete, and gone after its time."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captive_portal.gate import protocol as p
from captive_portal.gate.connection_log.entry import ConnectionLogEntry
from captive_portal.gate.connection_log.sealing import LogSealer, UnsealFailed, new_key, unseal_entries
from captive_portal.gate.database import Database
from captive_portal.gate.policy.session import ObservedPhone
from captive_portal.settings import ConnectionLogSettings, WifiSettings
from tests.captive_portal.gate.conftest import Box
from tests.captive_portal.gate.sites import MORNING, a_spot, ip, mac

MakeBox = Callable[..., Box]
PRIVATE, PUBLIC = new_key()


def a_logging_site(**changes: object) -> WifiSettings:
    return WifiSettings(spots=[a_spot()], log=ConnectionLogSettings(key=PUBLIC, **changes))  # type: ignore[arg-type]  # by name


def login(box: Box, n: int) -> p.Opened:
    box.bindings[ip(n)] = ObservedPhone("hall", mac(n), ip(n))
    (answer,) = box.gate.handle([p.Open(ip=ip(n), method="one_tap")])
    assert isinstance(answer, p.Opened)
    return answer


def kept(box: Box) -> list[ConnectionLogEntry]:
    database = Database(box.state / "sessions.db")
    boxes = database.sealed(date(2000, 1, 1), date(2100, 1, 1))
    database.store.close()
    return [entry for r in boxes if r.link for entry in unseal_entries(PRIVATE, r.box, r.link.bound_to())]


def test_a_session_that_ended_is_one_entry(make_box: MakeBox) -> None:
    box = make_box(a_logging_site())
    opened = login(box, 1)
    box.clock.advance(60)
    box.gate.handle([p.End(ip=ip(1))])
    (entry,) = kept(box)
    assert (entry.session, entry.mac, entry.ip4, entry.spot) == (opened.session, mac(1), ip(1), "hall")
    assert entry.ended_at - entry.begun_at == timedelta(seconds=60)


def test_a_session_that_moved_has_an_entry_for_each_address(make_box: MakeBox) -> None:
    box = make_box(a_logging_site())
    opened = login(box, 1)
    box.clock.advance(60)
    box.bindings[ip(2)] = ObservedPhone("hall", mac(2), ip(2))
    box.gate.handle([p.Resume(ip=ip(2), token=opened.token)])
    box.clock.advance(30)
    box.bindings[ip(3)] = ObservedPhone("hall", mac(2), ip(3))
    box.gate.handle([p.Lookup(ip=ip(3))])
    box.clock.advance(10)
    box.gate.handle([p.End(ip=ip(3))])
    entries = kept(box)
    assert [(s.mac, s.ip4) for s in entries] == [(mac(1), ip(1)), (mac(2), ip(2)), (mac(2), ip(3))]
    assert [(s.ended_at - s.begun_at).total_seconds() for s in entries] == [60, 30, 10]


def test_a_gate_killed_in_a_session_still_writes_its_entry(make_box: MakeBox) -> None:
    box = make_box(a_logging_site())
    login(box, 1)
    box.start()
    box.clock.advance(3600)
    box.gate.tick()
    assert [entry.begun_at for entry in kept(box)] == [MORNING]


def test_without_a_key_nothing_is_kept(make_box: MakeBox) -> None:
    box = make_box()
    login(box, 1)
    box.gate.handle([p.End(ip=ip(1))])
    assert kept(box) == []


def test_the_box_cannot_read_what_it_wrote(make_box: MakeBox) -> None:
    box = make_box(a_logging_site())
    login(box, 1)
    box.gate.handle([p.End(ip=ip(1))])
    box.gate.stop()
    assert kept(box)
    assert not [f.name for f in box.state.rglob("*") if f.is_file() and mac(1).encode() in f.read_bytes()]


def test_old_boxes_are_deleted(make_box: MakeBox) -> None:
    box = make_box(a_logging_site(keep_days=2))
    for _ in range(5):
        login(box, 1)
        box.gate.handle([p.End(ip=ip(1))])
        box.clock.advance(86400)
        box.gate.tick()
    assert len(kept(box)) == 2


@given(st.binary(min_size=1, max_size=3), st.integers(0, 400))
def test_a_changed_box_does_not_open(change: bytes, at: int) -> None:
    entry = ConnectionLogEntry(
        session="s", spot="hall", mac=mac(1), ip4=ip(1), method="one_tap", begun_at=MORNING, ended_at=MORNING
    )
    sealed = bytearray(LogSealer(base64.b64decode(PUBLIC)).seal([entry]))
    whole = bytes(sealed)
    sealed[at % len(sealed)] ^= change[0] or 1
    assert unseal_entries(PRIVATE, whole) == [entry]
    if at % len(sealed) != 31 or (change[0] or 1) != 0x80:  # RFC 7748 §5: the key's highest bit is masked
        with pytest.raises(UnsealFailed):
            unseal_entries(PRIVATE, bytes(sealed))


@pytest.mark.parametrize("cut", [0, 31, 32, 47])
def test_a_cut_box_does_not_open(cut: int) -> None:
    with pytest.raises(UnsealFailed):
        unseal_entries(PRIVATE, LogSealer(base64.b64decode(PUBLIC)).seal([])[:cut])
