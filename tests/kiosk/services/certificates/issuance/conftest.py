"""An issuing office on virtual ports: everything a request needs, on one file, that can be killed and started again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from device.audit import Audit
from device.clock import JST, HeldClock
from device.printer.memory_printer import MemoryPagePrinter
from device.store import Store
from device.strict_pdf.page_rules import PLAIN_PAPERS
from kiosk.issuer import protocol as p
from kiosk.issuer.form import default_answers
from kiosk.issuer.memory import MemoryIssuer
from kiosk.schema import KIOSK_MIGRATIONS
from kiosk.services.certificates.issuance.issuance import Issuance, Prepared
from kiosk.services.certificates.issuance.journal import Journal
from kiosk.services.certificates.issuance.open_matters import OpenMatters
from kiosk.shell.alarm import Alarm

KIOSK = "plaza-1"


class Crash(BaseException):
    """The power went out."""


@dataclass
class Fuse:
    """Blows at the ``at``-th boundary that is crossed, counted from 0; None never blows."""

    at: int | None = None
    crossed: int = 0

    def cross(self) -> None:
        self.crossed += 1
        if self.at is not None and self.crossed > self.at:
            self.at = None
            raise Crash


class Fused:
    """Any port, with a boundary that may blow before and after each of its calls."""

    def __init__(self, port: object, fuse: Fuse) -> None:
        self._port, self._fuse = port, fuse

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        if not callable(found):
            return found

        def call(*arguments: object, **named: object) -> object:
            self._fuse.cross()
            answer = found(*arguments, **named)
            self._fuse.cross()
            return answer

        return call


@dataclass
class Office:
    """One box. ``start`` opens its file anew, as a restart does; printer and issuer live on."""

    path: Path
    issuer: MemoryIssuer = field(default_factory=MemoryIssuer)
    printer: MemoryPagePrinter = field(default_factory=MemoryPagePrinter)
    clock: HeldClock = field(default_factory=lambda: HeldClock(datetime(2026, 11, 23, 9, 0, tzinfo=JST)))
    fuse: Fuse = field(default_factory=Fuse)
    on_wait: Callable[[], object] = lambda: None
    on_restart: Callable[[], object] = lambda: None

    def __post_init__(self) -> None:
        self.resident: p.Resident | None = None
        self._open()

    def start(self) -> None:
        self.on_restart()
        self.store.close()
        self._open()

    def _open(self) -> None:
        self.store = Store(self.path, KIOSK_MIGRATIONS)
        self.audit = Audit(self.store, self.clock)
        audit: Any = Fused(self.audit, self.fuse)
        self.journal = Journal(self.store, audit, self.clock)
        self.alarm = Alarm(self.store, audit, self.clock)
        self.matters = OpenMatters(self.store, self.journal, self.audit)
        fused: dict[str, Any] = {
            name: Fused(port, self.fuse)
            for name, port in (
                ("issuer", self.issuer),
                ("printer", self.printer),
                ("journal", self.journal),
                ("alarm", self.alarm),
            )
        }
        self.issuance = Issuance(
            fused["issuer"],
            fused["printer"],
            fused["journal"],
            audit,
            self.clock,
            alarm=fused["alarm"],
            page_rules=PLAIN_PAPERS,
            wait=self._wait,
        )

    def _wait(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.on_wait()

    def arrive(self) -> p.Resident:
        """A resident is authenticated."""
        challenge = self.issuer.challenge()
        message = p.Authenticate(challenge=challenge.challenge, credential=b"TEST", signature=b"TEST")
        resident = self.issuer.authenticate(message)
        assert isinstance(resident, p.Resident)
        self.resident = resident
        return resident

    def ask(self, copies: int = 1, request: str = "") -> p.Order:
        """The resident asks; the order as the card signs it."""
        resident = self.resident or self.arrive()
        content = p.OrderContent(
            request=request or str(uuid4()),
            kind=resident.offers[0].kind,
            answers=default_answers(resident.offers[0].form),
            copies=copies,
        )
        self.issuance.ask("visit-1", content)
        challenge = self.issuer.challenge()
        return p.Order(visit=resident.visit, challenge=challenge.challenge, content=content, signature=b"TEST")

    def quoted(self, copies: int = 1) -> str:
        """A request up to the issuer's quote; its id."""
        order = self.ask(copies)
        assert isinstance(self.issuance.authorise(order), p.Quote)
        return order.content.request

    def prepared(self, copies: int = 1) -> str:
        """A request up to the last gate."""
        request = self.quoted(copies)
        assert isinstance(self.prepare(request), Prepared)
        return request

    def prepare(self, request: str) -> object:
        assert self.resident is not None
        return self.issuance.prepare(request, self.resident.visit, self.resident.binding)

    def paid(self, copies: int = 1) -> str:
        """A request up to its payment."""
        request = self.prepared(copies)
        self.pay(request)
        return request

    def pay(self, request: str) -> None:
        self.issuance.paid(request, "virtual", self.journal.row(request).fee_yen, f"ref-{request[:8]}")

    def states(self, request: str) -> list[str]:
        return [move.state.value for move in self.journal.moves(request)]


@pytest.fixture
def make_office(tmp_path: Path) -> Iterator[Callable[..., Office]]:
    """Makes offices, each on a file of its own."""
    made: list[Office] = []

    def make(**parts: Any) -> Office:
        made.append(Office(tmp_path / f"kiosk-{len(made)}.db", **parts))
        return made[-1]

    yield make
    for office in made:
        office.store.close()


@pytest.fixture
def office(make_office: Callable[..., Office]) -> Office:
    """One office where nothing has happened yet."""
    return make_office()


@pytest.fixture
def crash() -> type[Crash]:
    """The exception a blown fuse raises."""
    return Crash
