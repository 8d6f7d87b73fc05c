"""The carried connection log, attacked with an editor: what was dropped, dated anew, changed, brought from elsewhere or
made up is named, and is not among the records that open.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import Result

from captive_portal.gate.connection_log.entry import ConnectionLogEntry
from captive_portal.gate.connection_log.sealing import LogSealer, new_key
from captive_portal.gate.database import Database, Moment
from captive_portal.gate.memory import MemoryGate
from captive_portal.gate.policy.changes import Changes
from captive_portal.gate.policy.identity import DaySalt
from captive_portal.settings import ConnectionLogSettings, WifiSettings
from device.clock import JST, SystemClock
from provisioning.site.reading import read_site
from tests.provisioning.wifi_box import make_box

pytestmark = pytest.mark.attacks
AT = datetime(2026, 11, 23, 9, 0, tzinfo=JST)
PRIVATE, PUBLIC = new_key()
Lines = list[dict[str, object]]


def entry(n: int) -> ConnectionLogEntry:
    at = AT + timedelta(days=n // 2)
    return ConnectionLogEntry(
        session=f"TEST{n}", spot="hall", mac=f"02:00:5e:10:00:{n:02x}", ip4=f"10.90.0.{n}", method="one_tap",
        begun_at=at, ended_at=at, ip6=["fd00:90::1"],
    )  # fmt: skip


def write(file: Path, wifi: WifiSettings, count: int, first: int = 0) -> None:
    """So many records, two a day."""
    database = Database(file, wifi.log, "TEST-plaza-1")
    policy = MemoryGate(wifi, SystemClock()).policy
    for n in range(first, first + count):
        moment = Moment("boot", 0.0, entry(n).begun_at)
        database.write(Changes(log_entries=[entry(n)]), policy, DaySalt("", b""), moment)
    database.close()


class Log:
    """A box with six records, and the file that was carried to city hall."""

    def __init__(self, folder: Path) -> None:
        self.box = make_box(folder)
        text = self.box.config.read_text("utf-8")
        self.box.config.write_text(f'{text}\n[wifi.log]\nkey = "{PUBLIC}"\n', "utf-8")
        wifi = read_site(self.box.config).wifi
        assert wifi
        self.wifi, self.database = wifi, self.box.state / wifi.gate.database
        self.key, self.file = folder / "city.key", folder / "carried"
        self.key.write_bytes(base64.b64encode(PRIVATE))
        write(self.database, wifi, 6)
        self.take()

    def take(self) -> None:
        self.box.run("wifi", "sealed", "--out", str(self.file))

    @property
    def signer(self) -> str:
        statement = self.lines()[-1]["statement"]
        assert isinstance(statement, dict)
        return str(statement["signer"])

    def lines(self) -> Lines:
        return [json.loads(line) for line in self.file.read_text("utf-8").splitlines()]

    def keep(self, lines: Lines) -> None:
        self.file.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")

    def open(self, *more: str) -> Result:
        return self.box.run("wifi", "unseal", "--key", str(self.key), "--sealed", str(self.file), *more, ok=False)


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(tmp_path)


def sessions(result: Result) -> list[str]:
    return [each["session"] for each in json.loads(result.stdout)]


def test_an_honest_log_opens_whole_with_its_ipv6_addresses(log: Log) -> None:
    result = log.open("--json", "--signer", log.signer)
    assert (result.exit_code, result.stderr) == (0, "")
    assert sessions(result) == [f"TEST{n}" for n in range(6)]
    assert json.loads(result.stdout)[0]["ip6"] == ["fd00:90::1"]


def dropped(lines: Lines) -> Lines:
    return [*lines[:2], *lines[3:]]


def cut(lines: Lines) -> Lines:
    return [*lines[:4], lines[-1]]


def beheaded(lines: Lines) -> Lines:
    return lines[2:]


def redated(lines: Lines) -> Lines:
    return [lines[0], {**lines[1], "day": "2026-11-30"}, *lines[2:]]


def redated_in_its_link(lines: Lines) -> Lines:
    link = lines[1]["link"]
    assert isinstance(link, dict)
    return [lines[0], {**lines[1], "day": "2026-11-30", "link": {**link, "day": "2026-11-30"}}, *lines[2:]]


def made_up(lines: Lines) -> Lines:
    """City hall's key is public: anybody can seal a record."""
    box = LogSealer(base64.b64decode(PUBLIC)).seal([entry(90)])
    return [*lines[:2], {"day": "2026-11-24", "sealed": base64.b64encode(box).decode()}, *lines[2:]]


def made_up_as_an_old_one(lines: Lines) -> Lines:
    return [made_up(lines)[2], *lines]


def exchanged(lines: Lines) -> Lines:
    return [{**lines[0], "sealed": lines[1]["sealed"]}, *lines[1:]]


def twice(lines: Lines) -> Lines:
    return [lines[0], *lines]


def swapped(lines: Lines) -> Lines:
    return [lines[1], lines[0], *lines[2:]]


def without_statement(lines: Lines) -> Lines:
    return lines[:-1]


def shorter_statement(lines: Lines) -> Lines:
    statement = lines[-1]["statement"]
    assert isinstance(statement, dict)
    return [*lines[:4], {**lines[-1], "statement": {**statement, "last": 4, "head_number": 4}}]


ATTACKS: dict[Callable[[Lines], Lines], str] = {
    dropped: "No. 3 記録が抜けています",
    cut: "No. 5–6 記録が抜けています",
    beheaded: "No. 1–2 記録が抜けています",
    redated: "2026-11-30 No. 2 日付が変えられています",
    redated_in_its_link: "2026-11-30 No. 2 この端末の署名がありません",
    made_up: "2026-11-24 この端末の署名がありません",
    made_up_as_an_old_one: "署名のない記録が、端末にあったものと違います",
    exchanged: "No. 1 中身が変えられています",
    twice: "前の記録とつながりません",
    swapped: "前の記録とつながりません",
    without_statement: "端末の送り状がなく",
    shorter_statement: "送り状がこの端末のものではありません",
}


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_a_carried_log_that_was_edited_is_told(log: Log, attack: Callable[[Lines], Lines]) -> None:
    signer = log.signer
    log.keep(attack(log.lines()))
    result = log.open("--signer", signer, "--json")
    assert result.exit_code == 1
    assert ATTACKS[attack] in result.stderr
    if attack is made_up:
        assert "TEST90" not in sessions(result)


def test_a_whole_log_of_another_box_is_not_this_ones(log: Log, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = Log(tmp_path / "other")
    signer = log.signer
    log.keep(other.lines())
    result = log.open("--signer", signer)
    assert result.exit_code == 1
    assert "送り状がこの端末のものではありません" in result.stderr
    assert "この端末の署名がありません" in result.stderr


def test_a_row_that_was_deleted_on_the_box_is_told(log: Log) -> None:
    with Database(log.database, log.wifi.log).store.transaction() as connection:
        connection.execute("DELETE FROM sealed WHERE number IN (1, 6)")
    log.take()
    result = log.open()
    assert result.exit_code == 1
    assert ["No. 1 " in result.stderr, "No. 6 " in result.stderr] == [True, True]


def test_days_in_the_middle_are_whole_by_themselves(log: Log) -> None:
    log.box.run("wifi", "sealed", "--out", str(log.file), "--from", "2026-11-24", "--to", "2026-11-24")
    result = log.open("--json", "--signer", log.signer)
    assert (result.exit_code, sessions(result)) == (0, ["TEST2", "TEST3"])


def test_old_records_go_after_their_days_and_are_not_missed(log: Log) -> None:
    short = ConnectionLogSettings(key=PUBLIC, keep_days=1)
    database = Database(log.database, short, "TEST-plaza-1")
    policy = MemoryGate(log.wifi, SystemClock()).policy
    later = Moment("boot", 0.0, AT + timedelta(days=2))
    database.write(Changes(day=True), policy, DaySalt("", b""), later)
    assert len(database.sealed(date(2000, 1, 1), date(2199, 1, 1))) == 4
    database.close()
    log.take()
    result = log.open("--json", "--signer", log.signer)
    assert (result.exit_code, sessions(result)) == (0, ["TEST2", "TEST3", "TEST4", "TEST5"])


def old_rows(log: Log) -> None:
    """As release 0.1 left them: sealed, without a link and without a key to sign."""
    sealer = LogSealer(base64.b64decode(PUBLIC))
    with Database(log.database, log.wifi.log).store.transaction() as connection:
        connection.execute("DELETE FROM sealed")
        connection.execute("DELETE FROM sealed_link")
        connection.execute("DELETE FROM fact WHERE name LIKE 'log_%'")
        for n in range(2):
            row = (entry(n).begun_at.date().isoformat(), sealer.seal([entry(n)]))
            connection.execute("INSERT INTO sealed (day, box) VALUES (?,?)", row)


def test_the_log_of_an_older_release_still_opens_and_is_told_as_unsigned(log: Log) -> None:
    old_rows(log)
    write(log.database, log.wifi, 2, first=2)
    log.take()
    result = log.open("--json", "--signer", log.signer)
    assert (result.exit_code, sessions(result)) == (0, [f"TEST{n}" for n in range(4)])
    assert "署名のない記録です（以前の版）" in result.stderr


def test_a_file_of_an_older_release_opens(log: Log) -> None:
    old_rows(log)
    log.take()
    log.keep([{"day": line["day"], "sealed": line["sealed"]} for line in log.lines() if line["day"]])
    result = log.open("--json")
    assert (result.exit_code, sessions(result)) == (0, ["TEST0", "TEST1"])
    assert "署名のない記録です" in result.stderr


def test_city_hall_is_told_the_key_and_the_end_of_the_chain(log: Log) -> None:
    from provisioning.enrolment.heartbeat import connection_log_end

    told = connection_log_end(log.database)
    assert (told["log_signer"], told["log_number"]) == (log.signer, 6)
