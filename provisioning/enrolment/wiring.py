"""Puts a box's line to city hall together from its site file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from device.clock import Clock
from device.logs import Log
from device.outbox import OUTBOX_MIGRATIONS, Outbox
from device.printer.drivers import open_page_printer, open_receipt_printer
from device.printer.status import Condition
from device.sender import Sender
from device.store import SMALL_PAGE, Store
from provisioning.cityhall.settings import CityHallLinkSettings
from provisioning.doctor.examination import problem_codes
from provisioning.enrolment.asking import Asking
from provisioning.enrolment.heartbeat import Told
from provisioning.enrolment.identity import Identity
from provisioning.enrolment.link import CityHall
from provisioning.errors import SectionMissing
from provisioning.site.model import Site


@dataclass(frozen=True)
class BoxLine:
    """All of it."""

    asking: Asking
    outbox: Outbox
    sender: Sender
    told: Told


def open_asking(link: CityHallLinkSettings, box: str, state: Path, clock: Clock) -> Asking:
    """What ``hiroba enrol`` needs."""
    identity = Identity(state / "enrolment")
    return Asking(box, identity, CityHall(link, state, identity, clock), clock)


def link_of(site: Site, config: Path, process: str) -> CityHallLinkSettings:
    """The [cityhall_link] section. Raises SectionMissing."""
    if site.cityhall_link is None:
        raise SectionMissing(file=config, section="cityhall_link", process=process)
    return site.cityhall_link


def open_line(site: Site, link: CityHallLinkSettings, state: Path, clock: Clock, log: Log) -> BoxLine:
    """The whole line. Raises StoreError."""
    asking = open_asking(link, site.box.name, state, clock)
    file = state / "enrolment" / "outbox.db"
    outbox = Outbox(Store(file, OUTBOX_MIGRATIONS, page_bytes=SMALL_PAGE, brief=True), clock)
    sender = Sender(outbox, asking.city_hall.post, log)
    has_kiosk = (state / "kiosk" / "kiosk.db").exists()
    told = Told(
        identity=asking.identity,
        clock=clock,
        outbox=outbox,
        audits=_audits(site, state),
        kiosk=(site.kiosk.host, site.kiosk.port) if has_kiosk else None,
        page_paper=(lambda: _page_paper(site)) if has_kiosk else None,
        receipt_paper=(lambda: _receipt_paper(site)) if has_kiosk else None,
        findings=lambda: problem_codes(site, state, clock),
    )
    return BoxLine(asking, outbox, sender, told)


def _audits(site: Site, state: Path) -> dict[str, Path]:
    files = {"kiosk": state / "kiosk" / "kiosk.db", "portal": state / "portal" / "audit.db"}
    if site.wifi:
        files["gate"] = state / site.wifi.gate.database
    if site.issuer:
        files["issuer"] = (state / site.issuer.register).with_name("ledger.db")
    return {part: file for part, file in files.items() if file.exists()}


def _page_paper(site: Site) -> Condition:
    return open_page_printer(site.page_printer).condition()


def _receipt_paper(site: Site) -> Condition:
    return open_receipt_printer(site.receipt_printer).condition()
