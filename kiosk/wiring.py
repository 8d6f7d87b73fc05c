"""The kiosk's parts list: the one place that names concrete drivers, and starts and stops what runs beside the pages.

Nothing runs on import or build; ``start`` begins the threads (after gunicorn's fork), ``stop`` joins them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from flask import Flask

from device.audit import Audit
from device.card.drivers import open_reader
from device.card.presence import CardArrived, CardLeft, PresenceEvent
from device.card.settings import CardSettings
from device.card.watcher import Watcher
from device.clock import Clock
from device.logs import Log
from device.printer.drivers import open_page_printer, open_receipt_printer
from device.printer.settings import PagePrinterSettings, ReceiptPrinterSettings
from device.store import SMALL_PAGE, Store
from device.version import version
from kiosk.issuer.connection import CredentialFiles, link_of
from kiosk.schema import KIOSK_MIGRATIONS
from kiosk.services import load
from kiosk.settings import CitySettings, IssuerLinkSettings, KioskSettings, Place
from kiosk.shell.alarm import Alarm
from kiosk.shell.app import create_app
from kiosk.shell.caretaker import Caretaker
from kiosk.shell.desk import Desk
from kiosk.shell.journey import Journey
from kiosk.shell.menu import Menu
from kiosk.shell.pages import Pages
from kiosk.shell.ports import Ports, Spawn
from kiosk.shell.readiness import Readiness, probes_of
from kiosk.shell.replacement import HandOver, Replacement
from kiosk.shell.rounds import Rounds, Workers
from kiosk.shell.service import Running, Service, Shared, Shell, packages_of
from kiosk.shell.staff_code import StaffCode
from kiosk.shell.words import Words
from kiosk.shell.wrong_codes import WrongCodes

DATABASE = "kiosk.db"
TICK_SECONDS = 0.2
LOOK_SECONDS = 2.0


class Start(Protocol):
    """Begin what runs beside the pages. left: what a former process handed over; b"": none did."""

    def __call__(self, left: bytes = b"") -> None:
        """See above."""


@dataclass(frozen=True)
class Kiosk:
    """The assembled kiosk. All but app, start, warm and stop is open to tests and to the demo only. warm: loads what a
    visit needs, beforehand.
    """

    app: Flask
    shell: Shell
    services: Mapping[str, Running]
    caretaker: Caretaker
    watcher: Watcher
    audit: Audit
    start: Start
    warm: Callable[[], None]
    stop: Callable[[], None]


def build(
    *,
    kiosk: KioskSettings,
    city: CitySettings,
    link: IssuerLinkSettings,
    credential: CredentialFiles | None,
    card: CardSettings,
    receipt: ReceiptPrinterSettings,
    page: PagePrinterSettings,
    box_name: str,
    place: Place,
    state: Path,
    clock: Clock,
    log: Log,
    hand_over: HandOver | None = None,
) -> Kiosk:
    """The kiosk of a box, on its real drivers. credential: for an issuer elsewhere. hand_over: see
    kiosk.shell.replacement. Raises LinkInsecure.
    """
    from kiosk.issuer.client import HttpIssuerClient

    ports = Ports(
        settings=kiosk,
        city=city,
        name=box_name,
        database=state / "kiosk" / DATABASE,
        reader=open_reader(card),
        issuer=HttpIssuerClient(link_of(link.url, state), link.timeout_seconds, credential),
        page_printer=open_page_printer(page),
        receipt_printer=open_receipt_printer(receipt),
        clock=clock,
        log=log,
        place=place,
        card_poll_seconds=card.poll_seconds,
        hand_over=hand_over,
    )
    return assemble(ports, load(kiosk.services))


def assemble(ports: Ports, services: Sequence[Service]) -> Kiosk:
    """The kiosk on whatever ports it is given. Raises StoreError when its database cannot be used, IllegalJourney,
    WordTwice or TemplateTwice when services do not go together.
    """
    packages = packages_of(services)
    store = Store(ports.database, KIOSK_MIGRATIONS, page_bytes=SMALL_PAGE)
    audit, workers = Audit(store, ports.clock), Workers(ports.log)
    shell = _shell(ports, services, store, audit, workers)
    running = {service.name: service.build(shell) for service in services}
    shared = [part.build(shell) for part in _shared(services)]
    menu = Menu(shell, services, running)
    replacement = Replacement(shell.desk, shell.readiness, workers.idle, workers.stopping, ports.hand_over)
    caretaker = Caretaker(shell.desk, ports.clock, shell.readiness, shell.alarm, menu)
    watcher = Watcher(ports.reader, ports.card_poll_seconds, _listener(menu, shell.spawn), ports.log)
    blueprints = [page for part in (*running.values(), *shared) for page in part.blueprints]
    app = create_app(shell, menu, blueprints, packages)

    def start(left: bytes = b"") -> None:
        resumed = replacement.resume(left)
        if not resumed:
            audit.record("kiosk_started", version=version())
        rounds = Rounds(workers, ports.log)
        _begin_rounds(rounds, caretaker, running, recover=not resumed)
        rounds.run("replacement", TICK_SECONDS, replacement.tick)
        watcher.start()

    def warm() -> None:
        for template in app.jinja_env.list_templates():
            app.jinja_env.get_template(template)
        for service in running.values():
            service.warm()

    def stop() -> None:
        watcher.stop()
        workers.stop()
        shell.desk.reset()
        store.close()

    return Kiosk(app, shell, running, caretaker, watcher, audit, start, warm, stop)


def _shell(ports: Ports, services: Sequence[Service], store: Store, audit: Audit, workers: Workers) -> Shell:
    """What every service shares."""
    settings, clock = ports.settings, ports.clock
    journey = Journey({service.name: service.journey for service in services})
    desk = Desk(settings, journey, clock, audit, ports.log)
    words = Words.load(settings.languages, packages_of(services))
    probes = probes_of(ports.reader, ports.page_printer, ports.issuer)
    return Shell(
        ports=ports,
        store=store,
        audit=audit,
        alarm=Alarm(store, audit, clock),
        desk=desk,
        words=words,
        readiness=Readiness(settings, clock, probes, {service.name: service.wants for service in services}),
        pages=Pages(desk, words, ports.city),
        staff_code=lambda place: StaffCode(settings.staff_code_hash, clock, WrongCodes(store, place)),
        spawn=ports.spawn or workers.spawn,
        stopping=workers.stopping,
    )


def _shared(services: Sequence[Service]) -> tuple[Shared, ...]:
    return tuple(dict.fromkeys(part for service in services for part in service.shares))


def _begin_rounds(
    rounds: Rounds, caretaker: Caretaker, running: Mapping[str, Running], *, recover: bool = True
) -> None:
    """Nobody is served before every service has recovered; there is nothing to recover after a process in order."""
    recovers = {name: service.recover for name, service in running.items() if service.recover is not None and recover}
    for name in recovers:
        caretaker.hold(name)
    rounds.run("caretaker", TICK_SECONDS, caretaker.tick)
    rounds.run("look", LOOK_SECONDS, caretaker.look)
    for name, service in running.items():
        first = partial(caretaker.recover, name, recovers[name]) if name in recovers else None
        if service.round is not None:
            rounds.run(name, service.round.seconds, service.round.work, first=first)
        elif first is not None:
            rounds.once(name, first)


def _listener(menu: Menu, spawn: Spawn) -> Callable[[PresenceEvent], None]:
    """What the watcher tells, to the present service; reading takes its time and so happens beside the watcher."""

    def listen(event: PresenceEvent) -> None:
        if isinstance(event, CardArrived):
            spawn("card", menu.card_arrived)
        elif isinstance(event, CardLeft):
            menu.card_left()

    return listen
