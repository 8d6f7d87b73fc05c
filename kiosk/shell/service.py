"""The shape of a service: what it says of itself (``Service``), what it is given (``Shell``), what it becomes
(``Running``).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from flask import Blueprint

from device.audit import AuditSink
from device.card.presence import Presence
from device.store import Store
from kiosk.shell.alarm import Alarm
from kiosk.shell.desk import Desk
from kiosk.shell.journey import ServiceJourney
from kiosk.shell.pages import Pages
from kiosk.shell.ports import Ports, Spawn
from kiosk.shell.readiness import Readiness, Wants
from kiosk.shell.staff_code import StaffCode
from kiosk.shell.visit import ServiceVisit
from kiosk.shell.words import Words
from kiosk.shell.wrong_codes import Place


@dataclass(frozen=True)
class Shell:
    """What every service shares, ready to use. store: the kiosk's database. staff_code: of one place where it is typed.
    stopping: set when the process ends.
    """

    ports: Ports
    store: Store
    audit: AuditSink
    alarm: Alarm
    desk: Desk
    words: Words
    readiness: Readiness
    pages: Pages
    staff_code: Callable[[Place], StaffCode]
    spawn: Spawn
    stopping: threading.Event

    def card_there(self) -> bool:
        """Whether a card lies on the reader."""
        return self.ports.reader.presence() is Presence.PRESENT


def nothing() -> None:
    """A hook of a service that has nothing to do there."""


@dataclass(frozen=True)
class Round:
    """Work of a service that is done again and again beside the pages."""

    seconds: float
    work: Callable[[], object]


@dataclass(frozen=True)
class Running:
    """A service that was built. blueprints: its pages. visit: makes its part of a visit that enters. tick: a round of
    the clock while a visit is in it, also just before a visitor leaves by hand; must not wait for anybody.
    card_arrived: a card was put down, told beside the reader's watcher. open_matters: how many decisions wait for
    staff. recover: once, before anybody is served. round: see Round. warm: loads what the first visit would wait for.
    """

    blueprints: tuple[Blueprint, ...] = ()
    visit: Callable[[], ServiceVisit] = ServiceVisit
    tick: Callable[[], None] = nothing
    card_arrived: Callable[[], None] = nothing
    open_matters: Callable[[], int] = lambda: 0
    recover: Callable[[], object] | None = None
    round: Round | None = None
    warm: Callable[[], None] = nothing


Build = Callable[[Shell], Running]


@dataclass(frozen=True)
class Shared:
    """Screens that several services use, built once. package: holds ``templates/`` and ``locale/``."""

    package: str
    build: Build


@dataclass(frozen=True)
class Service:
    """What a service says of itself. name: its action on the menu, its pages' ``data-service``, its words under
    ``services.NAME``. icon: of the shell's set (static/icons.css). package: holds ``templates/`` and ``locale/``.
    """

    name: str
    icon: str
    package: str
    journey: ServiceJourney
    build: Build
    wants: Wants = field(default_factory=Wants)
    shares: tuple[Shared, ...] = ()


def packages_of(services: Sequence[Service]) -> tuple[str, ...]:
    """Every package with templates and words: the shell's, the shared ones', the services'; each once."""
    shared = [part.package for service in services for part in service.shares]
    return tuple(dict.fromkeys(("kiosk.shell", *shared, *(service.package for service in services))))
