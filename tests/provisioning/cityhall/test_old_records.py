"""City hall's rows go when their time is over, on both databases; its audit says how many and still verifies."""

from __future__ import annotations

from provisioning.cityhall.accounts.roles import Role
from provisioning.cityhall.accounts.staff_audit import verify_staff_audit
from provisioning.cityhall.boxes.old_records import OldRecords
from provisioning.cityhall.tables import AuditHead
from tests.provisioning.cityhall.conftest import Hall

DAY = 86400


def test_what_staff_did_goes_after_its_days_and_twice_is_once(hall: Hall) -> None:
    hall.enrolled("plaza-1")
    hall.service.staff.set_password("hanako", "correct horse battery")
    hall.service.staff.set_password("left", "correct horse battery", Role.VIEW)
    hall.service.staff.close("left")
    old = OldRecords(hall.service.database, hall.clock, 1826)
    assert old.delete() == []
    hall.clock.advance(1860 * DAY)
    deleted = {one.kind: one.rows for one in old.delete()}
    assert deleted == {"account": 1, "staff_action": 6, "enrolment": 1, "code": 1, "staff_audit": 6}
    assert [one.name for one in hall.service.staff.accounts()] == ["hanako"]
    with hall.service.database.transaction() as session:
        assert verify_staff_audit(session).lines == 12
    assert old.delete() == []


def test_of_old_heads_the_last_of_each_day_stays_and_what_staff_accepted(hall: Hall) -> None:
    with hall.service.database.transaction() as session:
        for number, (day, accepted) in enumerate([(0, False), (0, True), (0, False), (1, False), (90, False)], 1):
            at = hall.now + day * DAY + number
            session.add(AuditHead(box="b", part="kiosk", lines=number, head="0" * 64, at=at, accepted=accepted))
            session.flush()
    hall.clock.advance(100 * DAY)
    assert {one.kind: one.rows for one in OldRecords(hall.service.database, hall.clock, 1826).delete()} == {
        "audit_head": 1
    }
