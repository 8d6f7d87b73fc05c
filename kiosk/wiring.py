"""The kiosk's parts list: the one place that names concrete drivers, and starts and stops what runs beside the pages.

Nothing runs on import or build; ``start`` begins the threads (after gunicorn's fork), ``stop`` joins them.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from flask import Flask

from device.audit import Audit
from device.card.drivers import open_reader
from device.card.presence import CardArrived, CardLeft, CardReader, PresenceEvent
from device.card.settings import CardSettings
from device.card.watcher import Watcher
from device.clock import Clock
from device.logs import Log
from device.printer.drivers import open_page_printer, open_receipt_printer
from device.printer.settings import PagePrinterSettings, ReceiptPrinterSettings
from device.printer.status import PagePrinter, ReceiptPrinter
from device.store import SMALL_PAGE, Store
from device.version import version
from kiosk.issuer.port import IssuerPort
from kiosk.services.certificates.issuance.issuance import Issuance
from kiosk.services.certificates.issuance.journal import Journal
from kiosk.services.certificates.issuance.printing import JobWatch
from kiosk.services.certificates.issuance.recovery import Recovery
from kiosk.services.certificates.issuance.schema import KIOSK_MIGRATIONS
from kiosk.services.certificates.issuance.settings import IssuanceSettings
from kiosk.services.certificates.issuance.staff import StaffDesk
from kiosk.services.certificates.order_steps import OrderSteps
from kiosk.services.certificates.paper_steps import PaperPorts, PaperSteps, Spawn
from kiosk.services.certificates.payment.counter import CounterTerminal
from kiosk.services.certificates.payment.virtual import VirtualTerminal
from kiosk.settings import CitySettings, IssuerLinkSettings, KioskSettings
from kiosk.shell.alarm import Alarm
from kiosk.shell.app import Parts, create_app
from kiosk.shell.caretaker import Caretaker
from kiosk.shell.desk import Desk
from kiosk.shell.readiness import Readiness
from kiosk.shell.rounds import Rounds, Workers
from kiosk.shell.staff_code import StaffCode
from kiosk.shell.words import Words
from kiosk.sign_in.card_steps import CardSteps

DATABASE = "kiosk.db"
TICK_SECONDS = 0.2
LOOK_SECONDS = 2.0
TELL_SECONDS = 60.0


@dataclass(frozen=True)
class Ports:
    """What the kiosk stands on. database: the SQLite file of journal, audit and alarm. spawn None: own threads."""

    settings: KioskSettings
    city: CitySettings
    name: str
    database: Path
    reader: CardReader
    issuer: IssuerPort
    page_printer: PagePrinter
    receipt_printer: ReceiptPrinter
    clock: Clock
    log: Log
    card_poll_seconds: float = 0.2
    issuance: IssuanceSettings = field(default_factory=IssuanceSettings)
    spawn: Spawn | None = None
    wait: Callable[[float], object] = time.sleep


@dataclass(frozen=True)
class Memory:
    """What the kiosk remembers, in one database."""

    store: Store
    audit: Audit
    journal: Journal
    alarm: Alarm


@dataclass(frozen=True)
class Kiosk:
    """The assembled kiosk. All but app, start and stop is open to tests and to the demo only."""

    app: Flask
    parts: Parts
    caretaker: Caretaker
    watcher: Watcher
    memory: Memory
    start: Callable[[], None]
    stop: Callable[[], None]


def build(
    *,
    kiosk: KioskSettings,
    city: CitySettings,
    link: IssuerLinkSettings,
    card: CardSettings,
    receipt: ReceiptPrinterSettings,
    page: PagePrinterSettings,
    box_name: str,
    state: Path,
    clock: Clock,
    log: Log,
) -> Kiosk:
    """The kiosk of a box, on its real drivers."""
    from kiosk.issuer.client import HttpIssuerClient

    ports = Ports(
        settings=kiosk,
        city=city,
        name=box_name,
        database=state / "kiosk" / DATABASE,
        reader=open_reader(card),
        issuer=HttpIssuerClient(link.url, link.timeout_seconds),
        page_printer=open_page_printer(page),
        receipt_printer=open_receipt_printer(receipt),
        clock=clock,
        log=log,
        card_poll_seconds=card.poll_seconds,
    )
    return assemble(ports)


def assemble(ports: Ports) -> Kiosk:
    """The kiosk on whatever ports it is given. Raises StoreError when its database cannot be used."""
    store = Store(ports.database, KIOSK_MIGRATIONS, page_bytes=SMALL_PAGE)
    audit = Audit(store, ports.clock)
    memory = Memory(store, audit, Journal(store, audit, ports.clock), Alarm(store, audit, ports.clock))
    workers = Workers(ports.log)
    issuance = _issuance(ports, memory, workers)
    parts = _parts(ports, memory, issuance, workers)
    caretaker = Caretaker(parts.desk, ports.clock, parts.readiness, memory.alarm, parts.paper)
    watcher = Watcher(ports.reader, ports.card_poll_seconds, _listener(parts.card, parts.spawn), ports.log)
    recovery = _recovery(ports, memory)
    rounds = Rounds(workers, ports.log)

    def start() -> None:
        audit.record("kiosk_started", version=version())
        caretaker.hold()
        rounds.run("caretaker", TICK_SECONDS, caretaker.tick)
        rounds.run("look", LOOK_SECONDS, caretaker.look)
        rounds.run("tell", TELL_SECONDS, issuance.tell_outcomes, first=lambda: caretaker.recover(recovery.run))
        watcher.start()

    def stop() -> None:
        watcher.stop()
        workers.stop()
        parts.desk.reset()
        store.close()

    return Kiosk(create_app(parts), parts, caretaker, watcher, memory, start, stop)


def _parts(ports: Ports, memory: Memory, issuance: Issuance, workers: Workers) -> Parts:
    """What the screens are made from."""
    settings, audit = ports.settings, memory.audit
    staff_code = StaffCode(settings.staff_code_hash, ports.clock)
    terminal = VirtualTerminal() if settings.terminal == "virtual" else CounterTerminal(staff_code, audit)
    desk, words = Desk(settings, ports.clock, audit, ports.log), Words.load(settings.languages)
    readiness = Readiness(settings, ports.clock, ports.reader, ports.page_printer, ports.issuer)
    spawn = ports.spawn or workers.spawn
    staff = StaffDesk(memory.store, memory.journal, audit)
    return Parts(
        desk=desk,
        words=words,
        city=ports.city,
        card=CardSteps(desk, ports.reader, ports.issuer, readiness, audit=audit, kiosk=ports.name),
        order=OrderSteps(desk, ports.issuer, issuance, terminal, ports.name),
        paper=PaperSteps(
            desk,
            PaperPorts(
                issuance=issuance,
                terminal=terminal,
                receipt_printer=ports.receipt_printer,
                audit=audit,
                clock=ports.clock,
                log=ports.log,
                words=words,
                city=ports.city,
                spawn=spawn,
                wait=ports.wait,
                stop=workers.stopping,
            ),
        ),
        readiness=readiness,
        terminal=terminal,
        staff_code=staff_code,
        alarm=memory.alarm,
        open_matters=lambda: len(staff.open_matters()),
        audit=audit,
        log=ports.log,
        spawn=spawn,
    )


def _issuance(ports: Ports, memory: Memory, workers: Workers) -> Issuance:
    spawn = ports.spawn or workers.spawn
    return Issuance(
        ports.issuer,
        ports.page_printer,
        memory.journal,
        memory.audit,
        ports.clock,
        kiosk_name=ports.name,
        alarm=memory.alarm,
        settings=ports.issuance,
        wait=ports.wait,
        later=lambda work: spawn("tell", lambda: _tell(work)),
    )


def _tell(work: Callable[[], object]) -> None:
    work()


def _recovery(ports: Ports, memory: Memory) -> Recovery:
    watch = JobWatch(ports.page_printer, ports.clock, ports.issuance, ports.wait)
    return Recovery(
        ports.issuer, ports.page_printer, memory.journal, alarm=memory.alarm, watch=watch, kiosk_name=ports.name
    )


def _listener(card: CardSteps, spawn: Spawn) -> Callable[[PresenceEvent], None]:
    """What the watcher tells, to the card's steps; reading takes its time and so happens beside the watcher."""

    def listen(event: PresenceEvent) -> None:
        if isinstance(event, CardArrived):
            spawn("card", card.read)
        elif isinstance(event, CardLeft):
            card.left()

    return listen
