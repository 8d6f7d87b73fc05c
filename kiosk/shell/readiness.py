"""Whether a certificate could be issued now: asked before anyone is asked for a card or a PIN (N11)."""

from __future__ import annotations

from datetime import time

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


def is_open(opens: str, closes: str, at: time) -> bool:
    """Whether ``at`` lies in the hours ``opens`` to ``closes`` (HH:MM). closes before opens runs over midnight; equal
    ones never close.
    """
    start, end = time.fromisoformat(opens), time.fromisoformat(closes)
    if start == end:
        return True
    return start <= at < end if start < end else at >= start or at < end


class Readiness:
    """Asks settings, reader, printer and issuer. ``latest`` is the code of what stood in the way last time, or None."""

    def __init__(
        self, settings: KioskSettings, clock: Clock, reader: CardReader, printer: PagePrinter, issuer: IssuerPort
    ) -> None:
        self._settings, self._clock = settings, clock
        self._reader, self._printer, self._issuer = reader, printer, issuer
        self.latest: str | None = None

    def check(self) -> str | None:
        """Ask all of them now; may take as long as their timeouts."""
        self.latest = self._own_code() or self._reader_code() or self._printer_code() or self._issuer_code()
        return self.latest

    def within_hours(self) -> bool:
        """Whether the kiosk serves at this time of day."""
        return is_open(self._settings.opens, self._settings.closes, self._clock.now().time())

    def _own_code(self) -> str | None:
        """At the counter a fee is confirmed by the staff code: a new box has none before its first `hiroba apply`."""
        unset = self._settings.terminal == "counter" and not self._settings.staff_code_hash
        return "kiosk.no_staff_code" if unset else None

    def _reader_code(self) -> str | None:
        return READER_CODES.get(self._reader.presence())

    def _printer_code(self) -> str | None:
        return PRINTER_CODES.get(self._printer.condition())

    def _issuer_code(self) -> str | None:
        try:
            return None if self._issuer.health().ready else "issuer.not_ready"
        except HirobaError:
            return "issuer.unreachable"
