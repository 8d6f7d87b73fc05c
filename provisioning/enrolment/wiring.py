"""Builds a box's connection to city hall from its site file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from device.clock import Clock
from device.logs import Log
from device.outbox import OUTBOX_MIGRATIONS, Fact, Outbox
from device.printer.drivers import open_page_printer, open_receipt_printer
from device.printer.status import Condition
from device.sender import Sender
from device.store import SMALL_PAGE, Store
from provisioning.cityhall.settings import CityHallLinkSettings
from provisioning.doctor.audits import audits_of
from provisioning.doctor.checks import documents
from provisioning.doctor.examination import problem_codes
from provisioning.enrolment.city_hall_client import CityHallClient
from provisioning.enrolment.heartbeat import HeartbeatSources
from provisioning.enrolment.identity import Identity
from provisioning.enrolment.steps import EnrolmentSteps
from provisioning.errors import SectionMissing
from provisioning.site.model import Site


@dataclass(frozen=True)
class BoxConnection:
    """All of it."""

    steps: EnrolmentSteps
    outbox: Outbox
    sender: Sender
    sources: HeartbeatSources


def open_enrolment(link: CityHallLinkSettings, box: str, state: Path, clock: Clock) -> EnrolmentSteps:
    """What ``hiroba enrol`` needs."""
    identity = Identity(state / "enrolment")
    return EnrolmentSteps(box, identity, CityHallClient(link, state, identity, clock), clock)


def cityhall_link_of(site: Site, config: Path, process: str) -> CityHallLinkSettings:
    """The [cityhall_link] section. Raises SectionMissing."""
    if site.cityhall_link is None:
        raise SectionMissing(file=config, section="cityhall_link", process=process)
    return site.cityhall_link


def open_connection(site: Site, link: CityHallLinkSettings, state: Path, clock: Clock, log: Log) -> BoxConnection:
    """The whole line. Raises StoreError."""
    steps = open_enrolment(link, site.box.name, state, clock)
    file = state / "enrolment" / "outbox.db"
    outbox = Outbox(Store(file, OUTBOX_MIGRATIONS, page_bytes=SMALL_PAGE, brief=True), clock)
    sender = Sender(outbox, steps.city_hall.post, log)
    has_kiosk = (state / "kiosk" / "kiosk.db").exists()
    sources = HeartbeatSources(
        identity=steps.identity,
        clock=clock,
        outbox=outbox,
        audits=audits_of(site, state),
        state=state,
        kiosk=(site.kiosk.host, site.kiosk.port) if has_kiosk else None,
        page_paper=(lambda: _page_paper(site)) if has_kiosk else None,
        receipt_paper=(lambda: _receipt_paper(site)) if has_kiosk else None,
        connection_log=state / site.wifi.gate.database if site.wifi else None,
        findings=lambda: problem_codes(site, state, clock),
        documents=lambda: _documents(site, state, clock, has_kiosk=has_kiosk),
    )
    return BoxConnection(steps, outbox, sender, sources)


def _documents(site: Site, state: Path, clock: Clock, *, has_kiosk: bool) -> dict[str, Fact]:
    """What this kiosk fetched and voided by its own account; and, where the issuer is, whom its ledger makes
    suspicious. City hall has both, from two boxes.
    """
    found: dict[str, Fact] = {}
    if has_kiosk:
        own = documents.of_journal(state, site.box.name, clock.now())
        found |= {"documents_given": own.given, "documents_voided": own.voided}
    if site.issuer is not None:
        ledger = (state / site.issuer.register).with_name("ledger.db")
        counted = documents.of_ledger(ledger, clock.now())
        found["issuer_kiosks_voiding"] = [one.kiosk for one in counted if one.alarming][:64]
    return found


def _page_paper(site: Site) -> Condition:
    return open_page_printer(site.page_printer).condition()


def _receipt_paper(site: Site) -> Condition:
    return open_receipt_printer(site.receipt_printer).condition()
