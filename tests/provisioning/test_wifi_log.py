"""The sealed connection log: a key made at city hall, boxes carried there, opened by nobody else."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from captive_portal.gate.connection_log.entry import ConnectionLogEntry
from captive_portal.gate.database import Database, Moment
from captive_portal.gate.memory import MemoryGate
from captive_portal.gate.policy.changes import Changes
from captive_portal.gate.policy.identity import DaySalt
from device.audit import Audit
from device.clock import JST, SystemClock
from provisioning.cli import hiroba
from provisioning.site.reading import read_site
from tests.provisioning.wifi_box import WifiBox, make_box

AT = datetime(2026, 11, 23, 9, 0, tzinfo=JST)
MAC, IP = "02:00:5e:10:00:01", "10.90.0.11"
ENTRY = ConnectionLogEntry(session="TEST", spot="hall", mac=MAC, ip4=IP, method="one_tap", begun_at=AT, ended_at=AT)


@pytest.fixture
def key(tmp_path: Path) -> Path:
    return tmp_path / "city.key"


@pytest.fixture
def box(tmp_path: Path, key: Path) -> WifiBox:
    """A box with the city's public key in its site file and one entry in its log."""
    made = make_box(tmp_path)
    told = CliRunner().invoke(hiroba, ["wifi", "log-key", "--out", str(key)])
    made.config.write_text(made.config.read_text("utf-8") + "\n" + told.output, "utf-8")
    wifi = read_site(made.config).wifi
    assert wifi
    database = Database(made.state / wifi.gate.database, wifi.log, "TEST-plaza-1")
    policy = MemoryGate(wifi, SystemClock()).policy
    database.write(Changes(log_entries=[ENTRY]), policy, DaySalt("", b""), Moment("boot", 0.0, AT))
    database.close()
    return made


def test_the_key_is_its_owners_alone_and_never_overwritten(box: WifiBox, key: Path) -> None:
    assert key.stat().st_mode & 0o777 == 0o600
    again = CliRunner().invoke(hiroba, ["wifi", "log-key", "--out", str(key)])
    assert again.exit_code == 2


def test_boxes_are_carried_away_sealed_and_opened_elsewhere(box: WifiBox, key: Path, tmp_path: Path) -> None:
    carried = tmp_path / "carried.jsonl"
    box.run("wifi", "sealed", "--out", str(carried))
    assert ENTRY.mac not in carried.read_text()
    opened = box.run("wifi", "unseal", "--key", str(key), "--sealed", str(carried), "--json").output
    (told,) = json.loads(opened)
    assert (told["mac"], told["ip4"], told["begun_at"]) == (ENTRY.mac, ENTRY.ip4, AT.isoformat())


def test_days_choose_and_the_table_reads_well(box: WifiBox, key: Path) -> None:
    output = box.run("wifi", "unseal", "--key", str(key), "--from", "2026-11-23", "--to", "2026-11-23").output
    assert "接続記録 1 件" in output
    assert "2026-11-23 09:00:00" in output
    assert "接続記録 0 件" in box.run("wifi", "unseal", "--key", str(key), "--from", "2026-11-24").output


def test_another_key_opens_nothing(box: WifiBox, tmp_path: Path) -> None:
    other = tmp_path / "other.key"
    CliRunner().invoke(hiroba, ["wifi", "log-key", "--out", str(other)])
    result = box.run("wifi", "unseal", "--key", str(other), ok=False)
    assert result.exit_code == 2
    assert ENTRY.mac not in result.output


def test_every_look_is_in_the_audit(box: WifiBox, key: Path) -> None:
    box.run("wifi", "unseal", "--key", str(key))
    database = Database(box.state / "gate" / "sessions.db")
    assert [line.event for line in Audit(database.store, SystemClock()).lines()] == ["connection_log_taken"]
    database.close()


@pytest.mark.parametrize("text", ["", "not base64 %%%", "AAAA"])
def test_a_file_that_is_no_key_is_wrong_use(box: WifiBox, tmp_path: Path, text: str) -> None:
    wrong = tmp_path / "wrong.key"
    wrong.write_text(text)
    assert box.run("wifi", "unseal", "--key", str(wrong), ok=False).exit_code == 2
