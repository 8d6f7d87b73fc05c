"""Whether a service could serve now: asked before anyone is asked for a card or a PIN, and for each service alone.

What is broken closes only the services that need it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import time
from enum import Enum

from device.card.presence import CardReader, Presence
from device.clock import Clock
from device.errors import HirobaError
from device.printer.status import Condition, PagePrinter
from kiosk.issuer.port import IssuerPort
from kiosk.settings import KioskSettings

READER_CODES = {Presence.NO_SERVICE: "reader.service_down", Presence.NO_READER: "reader.missing"}
PRINTER_CODES = {
    Condition.PAPER_OUT: "printer.paper_out",
    Condition.COVER_OPEN: "printer.cover_open",
    Condition.JAM: "printer.jam",
    Condition.TONER_OUT: "printer.toner_out",
    Condition.OFFLINE: "printer.unreachable",
    Condition.SILENT: "printer.unreachable",
    Condition.FAULT: "printer.fault",
}
ENVIRONMENT = ("reader.", "printer.", "issuer.", "kiosk.")
"""Codes that go away by themselves when the cause does."""


class Need(Enum):
    """What a service may need before it can begin, in the order in which what is missing is told."""

    READER = "reader"
    PAGE_PRINTER = "page_printer"
    ISSUER = "issuer"


Probe = Callable[[], str | None]
"""Asks one of them now, as long as its time-out takes: the code of what stands in the way, or None."""


@dataclass(frozen=True)
class Wants:
    """What one service asks of the kiosk. unset: the code of a setting that is missing, or None."""

    needs: Collection[Need] = ()
    unset: Callable[[KioskSettings], str | None] = lambda _settings: None


def is_open(opens: str, closes: str, at: time) -> bool:
    """Whether ``at`` lies in the hours ``opens`` to ``closes`` (HH:MM). closes before opens runs over midnight; equal
    ones never close.
    """
    start, end = time.fromisoformat(opens), time.fromisoformat(closes)
    if start == end:
        return True
    return start <= at < end if start < end else at >= start or at < end


class Readiness:
    """Asks what the services need. probes: one for each need that a service has."""

    def __init__(
        self, settings: KioskSettings, clock: Clock, probes: Mapping[Need, Probe], services: Mapping[str, Wants]
    ) -> None:
        self._settings, self._clock, self._services = settings, clock, services
        wanted = {need for wants in services.values() for need in wants.needs}
        self._probes = {need: probes[need] for need in Need if need in wanted}
        self._unset = {name: wants.unset(settings) for name, wants in services.items()}
        self._told: dict[Need, str | None] = {}

    def look(self) -> bool:
        """Ask everything that some service needs; whether an answer changed."""
        before, self._told = self._told, {need: probe() for need, probe in self._probes.items()}
        return _missing(before) != _missing(self._told)

    def ask(self, service: str) -> str | None:
        """Ask now what this service needs; the code of what stands in its way, or None."""
        needs = self._services[service].needs
        self._told = self._told | {need: probe() for need, probe in self._probes.items() if need in needs}
        return self.blocking(service)

    def blocking(self, service: str) -> str | None:
        """What stood in the way of this service at the last look: its code, or None."""
        needs, told = self._services[service].needs, self._told
        return self._unset[service] or next((code for need in Need if need in needs and (code := told.get(need))), None)

    def told(self) -> dict[str, str]:
        """What stood in the way at the last look, by need: for ``resume`` of another process."""
        return {need.value: code for need, code in _missing(self._told).items()}

    def resume(self, told: Mapping[str, str]) -> None:
        """Take over what another process saw at its last look."""
        self._told = {Need(need): code for need, code in told.items()}

    def stands(self, code: str) -> bool:
        """Whether ``code`` stood in the way of some service at the last look."""
        return code in (*self._told.values(), *self._unset.values())

    def within_hours(self) -> bool:
        """Whether the kiosk serves at this time of day."""
        return is_open(self._settings.opens, self._settings.closes, self._clock.now().time())


def probes_of(reader: CardReader, printer: PagePrinter, issuer: IssuerPort) -> dict[Need, Probe]:
    """How each of them is asked."""
    return {
        Need.READER: lambda: READER_CODES.get(reader.presence()),
        Need.PAGE_PRINTER: lambda: PRINTER_CODES.get(printer.condition()),
        Need.ISSUER: lambda: _issuer_code(issuer),
    }


def _issuer_code(issuer: IssuerPort) -> str | None:
    try:
        return None if issuer.health().ready else "issuer.not_ready"
    except HirobaError:
        return "issuer.unreachable"


def _missing(told: Mapping[Need, str | None]) -> dict[Need, str]:
    return {need: code for need, code in told.items() if code}
