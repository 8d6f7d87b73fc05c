"""N8: no MAC address outlives its session, in any file the box writes or any word the statistics say.

The gate is the real one down to its database; only the kernel and the neighbour table are in memory.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path

import msgspec
import pytest

from captive_portal.gate import protocol as p
from captive_portal.gate.client import BaseGateClient
from captive_portal.gate.database import Database
from captive_portal.gate.kernel.reconcile import ElementName
from captive_portal.gate.policy.session import ObservedPhone
from captive_portal.settings import LimitSettings
from captive_portal.stats.export import to_csv, to_json
from captive_portal.stats.open_data import publish, read_days
from captive_portal.wiring_stats import BuiltStats, build_stats
from device.logs import open_log
from tests.captive_portal.gate.conftest import Box
from tests.captive_portal.gate.sites import a_site

PHONES = {f"10.90.0.{n}": f"0a:c4:7e:b1:9d:{n:02x}" for n in range(0x20, 0x2A)}


class DirectGate(BaseGateClient):
    """A client that asks the real gate without a socket."""

    def __init__(self, box: Box) -> None:
        self._box = box

    def request(self, request: p.Request) -> p.Answer:
        """See BaseGateClient."""
        return self._box.gate.handle([request])[0]


def notations(mac: str) -> Iterator[bytes]:
    """A MAC as anyone might write it down."""
    digits = mac.replace(":", "")
    raw = bytes.fromhex(digits)
    for text in (mac, mac.replace(":", "-"), digits, ".".join([digits[:4], digits[4:8], digits[8:]]), mac[3:]):
        yield text.encode()
        yield text.upper().encode()
    yield raw
    yield base64.b64encode(raw).rstrip(b"=")[:-1]
    yield str(int(digits, 16)).encode()


def found(haystacks: dict[str, bytes]) -> set[str]:
    """Where any phone's MAC stands."""
    needles = [needle for mac in PHONES.values() for needle in notations(mac)]
    return {name for name, haystack in haystacks.items() if any(needle in haystack for needle in needles)}


def files(folder: Path) -> dict[str, bytes]:
    """Every file under ``folder``, read past every cache of ours."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def said(stats: BuiltStats) -> dict[str, bytes]:
    """Everything the statistics say of these days, to staff and to the public."""
    days = [date(2026, 11, 23), date(2026, 11, 24)]
    lines = [line for facts in read_days(stats.store, days[0], days[1]) for line in publish(facts)]
    assert lines
    web = stats.app.test_client()
    pages = {
        f"{path} {day} {period}": web.get(path, query_string={"date": day.isoformat(), "period": period}).data
        for path in ("/", "/chart.svg")
        for day in days
        for period in ("day", "week")
    }
    return {**pages, "csv": to_csv(lines, "試験市", {}).encode(), "json": to_json(lines, "試験市", {}).encode()}


def log_in_all(box: Box) -> None:
    for ip, mac in PHONES.items():
        box.bindings[ip] = ObservedPhone("hall", mac, ip)
        opened = box.gate.handle([p.Open(ip=ip, method="one_tap", language="ja", device="apple")])
        assert isinstance(opened[0], p.Opened)
        box.kernel.traffic(ElementName("up4", f"{mac} . {ip}"), 5000)


def test_no_mac_is_left_when_its_session_is_over(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    box = Box(tmp_path / "gate", a_site(LimitSettings(minutes_per_visit=90, devices=1)))
    stats = build_stats(box.settings, tmp_path, box.clock, open_log("stats"), DirectGate(box))
    log_in_all(box)
    for _ in range(18):
        box.clock.advance(300)
        box.gate.tick()
        stats.collector.collect()
    assert {name.partition("/")[0] for name in found(files(tmp_path))} <= {"gate"}
    box.clock.advance(86400)
    box.gate.tick()
    stats.collector.collect()
    assert box.gate.policy.sessions == {}
    assert found({**files(tmp_path), **said(stats), "log": "".join(capfd.readouterr()).encode()}) == set()


def test_the_search_finds_the_mac_of_a_phone_that_is_online(tmp_path: Path) -> None:
    box = Box(tmp_path / "gate")
    log_in_all(box)
    assert any(name.startswith("gate/sessions.db") for name in found(files(tmp_path)))


@pytest.mark.parametrize("slept", [False, True], ids=["midnight on duty", "off over midnight"])
def test_the_key_of_a_day_is_in_no_file_the_next_day(tmp_path: Path, slept: bool) -> None:
    box = Box(tmp_path / "gate")
    log_in_all(box)
    with closing(Database(tmp_path / "gate" / "sessions.db").store) as store:
        (row,) = store.rows("SELECT body FROM fact WHERE name = 'salt'")
    kept = msgspec.json.decode(row["body"])["key"].encode()
    assert kept in b"".join(files(tmp_path).values())  # or the search below proves nothing
    if slept:
        box.reboot(86400)
        box.start()
    else:
        box.clock.advance(86400)
    for _ in range(2):
        box.gate.tick()
        box.clock.advance(3600)
    assert [name for name, content in files(tmp_path).items() if kept in content or b64(kept) in content] == []


def b64(text: bytes) -> bytes:
    """What base64 text stands for."""
    return base64.b64decode(text)
