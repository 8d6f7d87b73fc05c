"""What the kiosk stands on: settings, hardware, issuer, clock and log, as the composition root hands them in."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from device.card.presence import CardReader
from device.clock import Clock
from device.logs import Log
from device.printer.status import PagePrinter, ReceiptPrinter
from device.strict_pdf.page_rules import OUR_PAPERS, PageRules
from kiosk.issuer.port import IssuerPort
from kiosk.settings import CitySettings, KioskSettings, Place
from kiosk.shell.replacement import HandOver

Spawn = Callable[[str, Callable[[], None]], None]
"""(name, work): do the work beside everything else; tests do it at once."""


@dataclass(frozen=True)
class Ports:
    """name: what this box signs as. database: the SQLite file of audit, alarm and the services' tables. spawn None: own
    threads. wait: sleeps for so many seconds. page_rules: what a PDF may hold that is printed. hand_over: see
    kiosk.shell.replacement.
    """

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
    place: Place = field(default_factory=Place)
    page_rules: PageRules = OUR_PAPERS
    card_poll_seconds: float = 0.2
    spawn: Spawn | None = None
    wait: Callable[[float], object] = time.sleep
    hand_over: HandOver | None = None
