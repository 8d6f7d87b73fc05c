"""A blank box goes on where the old one stopped, prints nothing twice and gives no issue number twice."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from device.audit import Audit
from device.clock import HeldClock
from device.health.readers import canary
from device.store import Store
from kiosk.issuer.challenges import Challenges
from kiosk.issuer.ledger import Ledger, OrderRecord
from kiosk.issuer.protocol import OutcomeKind
from kiosk.issuer.wiring import LEDGER_MIGRATIONS
from kiosk.schema import KIOSK_MIGRATIONS
from kiosk.services.certificates.issuance.journal import Journal
from kiosk.services.certificates.issuance.printing import JobWatch
from kiosk.services.certificates.issuance.recovery import Recovery
from kiosk.services.certificates.issuance.settings import IssuanceSettings
from kiosk.services.certificates.issuance.states import Event, State
from kiosk.shell.alarm import Alarm
from provisioning.backup.age import Identity
from provisioning.backup.backup_writer import BackupWriter
from provisioning.backup.errors import ArchiveDamaged, KeyWrong, StateNotBlank
from provisioning.backup.restore import STAGE
from tests.kiosk.services.certificates.issuance.conftest import KIOSK, Office
from tests.provisioning.backup.conftest import laid

Step = Callable[[Office], str]


def _printing(office: Office) -> str:
    """Backed up with the document on its way to the printer."""
    request = office.paid()
    row = office.journal.printing(request)
    office.journal.sending(request, office.printer.create(row.job_name))
    return request


def _printed(office: Office) -> str:
    """Backed up with the paper in the tray."""
    request = office.paid()
    office.issuance.print(request)
    return request


STEPS: dict[str, Step] = {
    "asked": lambda office: office.ask().content.request,
    "quoted": lambda office: office.quoted(),
    "prepared": lambda office: office.prepared(),
    "paid": lambda office: office.paid(),
    "printing": _printing,
    "printed": _printed,
}
PAID = ("paid", "printing", "printed")


@pytest.fixture
def office(box: Path) -> Office:
    """The kiosk of the old box."""
    return Office(box / "kiosk" / "kiosk.db")


@pytest.fixture
def blank(tmp_path: Path) -> Path:
    return tmp_path / "new"


def an_order(clock: HeldClock) -> OrderRecord:
    return OrderRecord(
        request="request-1",
        kiosk=KIOSK,
        visit="",
        requester="R00001",
        residents=["R00001"],
        kind="residence_record",
        answers={"items": ["relationship"]},
        copies=1,
        binding="",
        fee_yen=300,
        pages=1,
        at=clock.now(),
    )


def recovered(blank: Path, office: Office) -> tuple[Journal, Alarm]:
    """The new box starts, beside the printer and the issuer that the old one had."""
    store = Store(blank / "kiosk" / "kiosk.db", KIOSK_MIGRATIONS)
    audit = Audit(store, office.clock)
    journal, alarm = Journal(store, audit, office.clock), Alarm(store, audit, office.clock)
    watch = JobWatch(office.printer, office.clock, IssuanceSettings(), office.clock.advance)
    Recovery(office.issuer, office.printer, journal, alarm=alarm, watch=watch).run()
    audit.verify()
    return journal, alarm


@pytest.mark.parametrize("step", STEPS)
def test_what_was_printed_after_the_back_up_is_never_printed_again(
    *, step: str, office: Office, backup: BackupWriter, identity: Identity, blank: Path, tmp_path: Path
) -> None:
    request = STEPS[step](office)
    archive = backup.to_file(tmp_path / "a.age").path
    if step == "paid":
        office.issuance.print(request)
    sides = office.printer.pages
    done = laid(archive, identity, blank, tmp_path / "site.toml", office.clock)
    journal, alarm = recovered(blank, office)
    assert [row.request for row in done.unknown] == [request]
    assert journal.row(request).state is State.UNKNOWN
    assert alarm.closed
    assert office.printer.pages == sides
    assert journal.row(request).refund_due is (step in PAID)


def test_what_the_issuer_heard_after_the_back_up_is_learned_from_it(
    office: Office, backup: BackupWriter, identity: Identity, blank: Path, tmp_path: Path
) -> None:
    request = office.paid()
    archive = backup.to_file(tmp_path / "a.age").path
    office.issuer.outcomes[request] = OutcomeKind.DELIVERED
    laid(archive, identity, blank, tmp_path / "site.toml", office.clock)
    journal, _ = recovered(blank, office)
    assert journal.row(request).state is State.DELIVERED
    assert not journal.row(request).refund_due
    assert [move.reason for move in journal.moves(request)][-2:] == ["restored", "issuer"]


def test_requests_that_had_come_to_rest_are_as_they_were(
    office: Office, backup: BackupWriter, identity: Identity, blank: Path, tmp_path: Path
) -> None:
    request = office.paid()
    office.issuance.print(request)
    office.journal.move(request, Event.DELIVER)
    before = office.journal.row(request)
    laid(backup.to_file(tmp_path / "a.age").path, identity, blank, tmp_path / "site.toml", office.clock)
    journal, alarm = recovered(blank, office)
    assert journal.row(request) == before
    assert not alarm.closed


def test_no_issue_number_given_after_the_back_up_is_given_again(
    *, box: Path, backup: BackupWriter, identity: Identity, blank: Path, tmp_path: Path, clock: HeldClock
) -> None:
    with closing(Store(box / "issuer" / "ledger.db", LEDGER_MIGRATIONS)) as store:
        last = Ledger(store).leave_gap(clock.now(), 7)
        archive = backup.to_file(tmp_path / "a.age").path
        later = Ledger(store).leave_gap(clock.now(), 1)
    laid(archive, identity, blank, tmp_path / "site.toml", clock)
    with closing(Store(blank / "issuer" / "ledger.db", LEDGER_MIGRATIONS)) as store:
        fresh = Ledger(store).leave_gap(clock.now(), 1)
    assert last.startswith("R8-000007")
    assert later.startswith("R8-000008")
    assert fresh.startswith("R8-001008")


def test_an_order_open_at_the_back_up_is_unknown_to_the_issuer_and_its_visit_is_over(
    *, box: Path, backup: BackupWriter, identity: Identity, blank: Path, tmp_path: Path, clock: HeldClock
) -> None:
    with closing(Store(box / "issuer" / "ledger.db", LEDGER_MIGRATIONS)) as store:
        given = Challenges(store, clock).give(KIOSK)
        assert given is not None
        Ledger(store).accept(an_order(clock), "digest", "key")
        archive = backup.to_file(tmp_path / "a.age").path
    laid(archive, identity, blank, tmp_path / "site.toml", clock)
    with closing(Store(blank / "issuer" / "ledger.db", LEDGER_MIGRATIONS)) as store:
        found = Ledger(store).find("request-1")
        assert found is not None
        assert found.outcome is OutcomeKind.UNKNOWN
        assert Challenges(store, clock).take(given.challenge, KIOSK) is None


def test_keys_come_back_with_their_modes_and_the_site_file_with_them(
    *,
    box: Path,
    backup: BackupWriter,
    identity: Identity,
    blank: Path,
    tmp_path: Path,
    site_file: Path,
    clock: HeldClock,
) -> None:
    archive = backup.to_file(tmp_path / "a.age").path
    fresh = tmp_path / "etc" / "site.toml"
    laid(archive, identity, blank, fresh, clock)
    key = blank / "portal" / "key"
    assert (key.read_bytes(), key.stat().st_mode & 0o777) == ((box / "portal" / "key").read_bytes(), 0o600)
    assert fresh.read_text() == site_file.read_text()
    assert not (blank / STAGE).exists()


def test_a_site_file_that_is_there_stays_and_the_archives_lies_beside(
    backup: BackupWriter, identity: Identity, blank: Path, tmp_path: Path, clock: HeldClock
) -> None:
    fresh = tmp_path / "site.toml"
    fresh.write_text("# of the new box")
    done = laid(backup.to_file(tmp_path / "a.age").path, identity, blank, fresh, clock)
    assert fresh.read_text() == "# of the new box"
    assert done.settings_beside == ("site.toml.restored",)


def test_a_box_with_records_is_not_overwritten(
    box: Path, backup: BackupWriter, identity: Identity, tmp_path: Path, clock: HeldClock
) -> None:
    archive = backup.to_file(tmp_path / "a.age").path
    with pytest.raises(StateNotBlank):
        laid(archive, identity, box, tmp_path / "site.toml", clock)


def test_a_box_at_which_the_doctor_has_looked_is_still_blank(
    backup: BackupWriter, identity: Identity, blank: Path, tmp_path: Path, clock: HeldClock
) -> None:
    archive = backup.to_file(tmp_path / "a.age").path
    blank.mkdir()
    assert canary(blank) == "ok"
    laid(archive, identity, blank, tmp_path / "site.toml", clock)
    assert list(blank.rglob("*.db"))


@pytest.mark.parametrize("cut", [0, 1, 100, 300, -1])
def test_an_archive_cut_off_leaves_the_box_blank(
    *, cut: int, backup: BackupWriter, identity: Identity, blank: Path, tmp_path: Path, clock: HeldClock
) -> None:
    archive = backup.to_file(tmp_path / "a.age").path
    archive.write_bytes(archive.read_bytes()[:cut])
    with pytest.raises(ArchiveDamaged):
        laid(archive, identity, blank, tmp_path / "site.toml", clock)
    assert not blank.exists() or list(blank.iterdir()) == []


def test_another_key_is_refused(backup: BackupWriter, blank: Path, tmp_path: Path, clock: HeldClock) -> None:
    archive = backup.to_file(tmp_path / "a.age").path
    with pytest.raises(KeyWrong):
        laid(archive, Identity.make(), blank, tmp_path / "site.toml", clock)


def test_a_restore_that_was_cut_off_is_begun_again_by_the_same_command(
    backup: BackupWriter, identity: Identity, blank: Path, tmp_path: Path, clock: HeldClock
) -> None:
    archive = backup.to_file(tmp_path / "a.age").path
    (blank / STAGE / "state" / "portal").mkdir(parents=True)
    (blank / STAGE / "checked").touch()
    (blank / "gate").mkdir()
    (blank / "gate" / "sessions.db").write_bytes(b"half")
    laid(archive, identity, blank, tmp_path / "site.toml", clock)
    assert (blank / "gate" / "sessions.db").stat().st_size > 4
    with pytest.raises(StateNotBlank):
        laid(archive, identity, blank, tmp_path / "site.toml", clock)
