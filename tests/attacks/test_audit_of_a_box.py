"""Whoever changes what a box noted: a line, its end, all of it, with the box's own tools at hand; and a box that speaks
for another. Heads go over the real messages of the boxes' port, which nginx's mutual TLS stands before.
"""

from __future__ import annotations

import sqlite3
import tomllib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import pytest

from device.audit import AUDIT_MIGRATIONS, Audit
from device.audit_chain import START, ChainEnd, link
from device.outbox import Fact
from device.store import Store
from provisioning.cityhall.boxes.audit_heads import PARTS
from provisioning.cityhall.boxes.intake import Batch, Envelope
from provisioning.doctor.audits import Verdict, files_of, judge, keep_heads, known_heads, past_facts
from provisioning.enrolment.heartbeat import audit_end
from provisioning.site.reading import read_site
from tests.provisioning.cityhall.conftest import Hall, open_hall

pytestmark = pytest.mark.attacks
OUTBOX_KINDS = Path(__file__).parents[2] / "device" / "outbox_kinds.toml"


class BoxWithAudit:
    """A box that notes and tells, and somebody with its memory card in hand."""

    def __init__(self, hall: Hall, folder: Path, name: str) -> None:
        self.hall, self.state, self.name = hall, folder / name, name
        self.file = self.state / "kiosk" / "kiosk.db"
        (self.state / "enrolment").mkdir(parents=True)
        hall.enrolled(name)

    def note(self, lines: int) -> None:
        with closing(Store(self.file, AUDIT_MIGRATIONS)) as store:
            for _ in range(lines):
                Audit(store, self.hall.clock).record("kiosk_reopened")

    def heartbeat(self, **other: Fact) -> None:
        """As device and city hall do it: heads go, city hall's come back."""
        files = {"kiosk": self.file}
        facts = {**audit_end("kiosk", self.file), **past_facts(self.state, files), **other}
        now = self.hall.now
        self.hall.service.intake.take(self.name, Batch(now, [Envelope(uuid4(), "heartbeat", now, 1, facts)]))
        told = self.hall.service.intake.audit_heads(self.name)
        keep_heads(self.state, {part: ChainEnd(*end) for part, end in told.items()})

    def verdict(self) -> Verdict:
        """Of the box's own doctor."""
        return judge("kiosk", self.file, known_heads(self.state).get("kiosk")).verdict

    def alarms(self) -> list[str]:
        """Open at city hall."""
        return [alarm.reason for alarm in self.hall.service.pages.audits.open(self.name)]

    def sql(self, statement: str, *values: object) -> None:
        with closing(sqlite3.connect(self.file)) as connection, connection:
            connection.execute(statement, values)

    def forge(self, lines: int) -> None:
        """Another history in its place, each line well chained."""
        self.sql("DELETE FROM audit")
        end = START
        for number in range(1, lines + 1):
            row = (number, "2026-04-01T09:00:00.000+09:00", "kiosk_closed", "{}")
            end = ChainEnd(number, link(end.head, *row))
            self.sql("INSERT INTO audit VALUES (?,?,?,?,?)", *row, end.head)


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[Hall]:
    opened = open_hall(tmp_path / "hall")
    yield opened
    opened.service.database.close()


@pytest.fixture
def box(hall: Hall, tmp_path: Path) -> BoxWithAudit:
    made = BoxWithAudit(hall, tmp_path, "plaza-1")
    made.note(5)
    made.heartbeat()
    assert (made.verdict(), made.alarms()) == (Verdict.WHOLE, [])
    return made


def test_what_goes_on_is_no_alarm(box: BoxWithAudit) -> None:
    for lines in (0, 1, 700, 3):
        box.note(lines)
        box.heartbeat()
    assert (box.verdict(), box.alarms()) == (Verdict.WHOLE, [])


def test_a_changed_line_is_seen_at_the_box(box: BoxWithAudit) -> None:
    box.sql("UPDATE audit SET event = 'kiosk_closed' WHERE sequence = 2")
    assert box.verdict() is Verdict.BROKEN


def test_a_cut_tail_is_an_alarm_on_both_sides(box: BoxWithAudit) -> None:
    box.sql("DELETE FROM audit WHERE sequence > 3")
    assert box.verdict() is Verdict.SHORTENED
    box.heartbeat()
    assert box.alarms() == ["shortened"]


@pytest.mark.parametrize("lines", [5, 9])
def test_another_history_in_its_place_is_an_alarm_on_both_sides(box: BoxWithAudit, lines: int) -> None:
    box.forge(lines)
    assert box.verdict() is Verdict.REPLACED
    box.heartbeat()
    assert box.alarms() == ["replaced"]


def test_to_wipe_what_city_hall_told_as_well_helps_for_one_heartbeat_at_most(box: BoxWithAudit) -> None:
    box.forge(5)
    (box.state / "enrolment" / "audit-heads.json").unlink()
    box.heartbeat()
    assert box.alarms() == ["replaced"]
    assert box.verdict() is Verdict.REPLACED


def test_deleting_the_old_lines_with_the_box_s_own_tool_hides_nothing_new(box: BoxWithAudit) -> None:
    box.sql("DELETE FROM audit WHERE sequence <= 3")
    assert box.verdict() is Verdict.BROKEN


def test_a_box_speaks_for_itself_alone(box: BoxWithAudit, hall: Hall, tmp_path: Path) -> None:
    other = BoxWithAudit(hall, tmp_path, "plaza-2")
    other.note(2)
    other.heartbeat(**audit_end("kiosk", box.file))
    box.note(1)
    box.heartbeat()
    assert box.alarms() == []
    assert (box.verdict(), other.verdict()) == (Verdict.WHOLE, Verdict.SHORTENED)


def test_after_a_restore_staff_close_the_alarm_with_a_reason_and_it_goes_on(box: BoxWithAudit, hall: Hall) -> None:
    box.sql("DELETE FROM audit WHERE sequence > 3")
    box.heartbeat()
    audits = hall.service.pages.audits
    assert audits.accept("plaza-1", "hanako", "  ") == 0
    assert audits.accept("plaza-1", "hanako", "4月1日の控えから戻した") == 1
    box.note(1)
    box.heartbeat()
    assert (box.verdict(), box.alarms()) == (Verdict.WHOLE, [])
    told = [(one.staff, one.action) for one in hall.service.records.staff_actions("plaza-1")[:2]]
    assert told == [("hanako", "audit_accepted"), ("", "audit_alarm")]


def test_a_heartbeat_that_waited_for_the_line_is_no_alarm(box: BoxWithAudit, hall: Hall) -> None:
    late = audit_end("kiosk", box.file)
    box.note(2)
    box.heartbeat()
    now = hall.now
    hall.service.intake.take("plaza-1", Batch(now, [Envelope(uuid4(), "heartbeat", now - 3600, 1, late)]))
    assert box.alarms() == []


def test_the_alarm_stands_on_the_pages_and_says_what_to_do(box: BoxWithAudit, hall: Hall) -> None:
    from device.logs import open_log
    from provisioning.cityhall.app import create_staff_app

    box.sql("DELETE FROM audit WHERE sequence > 3")
    box.heartbeat()
    hall.service.staff.set_password("hanako", "correct horse battery")
    client = create_staff_app(hall.service.pages, open_log("cityhall")).test_client()
    fields = {"name": "hanako", "password": "correct horse battery"}
    client.post("/login", base_url="https://localhost", data=fields)
    assert 'data-box="plaza-1" data-state="trouble"' in client.get("/", base_url="https://localhost").text
    page = client.get("/boxes/plaza-1", base_url="https://localhost").text
    assert 'data-alarm="kiosk"' in page
    assert 'data-action="accept-audit"' in page


def test_the_head_of_every_audit_that_is_told_is_kept_and_may_be_told() -> None:
    """The register's as well: its audit says who looked at whom."""
    facts = set(tomllib.loads(OUTBOX_KINDS.read_text("utf-8"))["heartbeat"]["facts"])
    site = read_site(Path(__file__).parents[1] / "boot" / "site.toml")
    assert "register" in PARTS
    assert {f"audit_{part}{end}" for part in PARTS for end in ("", "_lines", "_past", "_past_lines")} <= facts
    assert [name for name in files_of(site, Path("/var/lib/hiroba")) if name not in PARTS] == []
