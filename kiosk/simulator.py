"""A whole kiosk in one process on virtual hardware, with levers: for training, pictures of the screens, and tests."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from device.card.profile import PRESENT_CARD
from device.card.virtual.card import TriesInMemory, VirtualCard, load_image
from device.card.virtual.pki import TestPki
from device.card.virtual.reader import VirtualReader
from device.clock import JST, Clock, HeldClock
from device.logs import Log, open_log
from device.printer.memory_printer import MemoryPagePrinter, MemoryReceiptPrinter
from device.strict_pdf.page_rules import PLAIN_PAPERS
from kiosk.issuer.memory import MemoryIssuer
from kiosk.services import load
from kiosk.settings import CitySettings, KioskSettings, Place, WifiNetwork
from kiosk.shell.ports import Ports
from kiosk.shell.service import Service
from kiosk.wiring import Kiosk, assemble

CITY = CitySettings(name_ja="見本市", name_en="Mihon City", telephone="06-0000-0000")
PLACE = Place("見本ひろば", "Mihon Plaza", (WifiNetwork("Mihon_Free_Wi-Fi"),))
MORNING = datetime(2026, 11, 23, 10, 0, tzinfo=JST)


@dataclass
class KioskSimulator:
    """The kiosk and its levers. threads False: nothing runs by itself, ``settle`` makes one round of everything, and
    slow work is done at once; the clock is then held and moved by hand. services None: those of the settings.
    """

    folder: Path
    pki: TestPki
    settings: KioskSettings = field(default_factory=lambda: KioskSettings(terminal="virtual"))
    threads: bool = False
    clock: Clock = field(default_factory=lambda: HeldClock(MORNING))
    log: Log = field(default_factory=lambda: open_log("simulator"))
    issuer: MemoryIssuer = field(default_factory=MemoryIssuer)
    pages: MemoryPagePrinter = field(default_factory=MemoryPagePrinter)
    receipts: MemoryReceiptPrinter = field(default_factory=MemoryReceiptPrinter)
    reader: VirtualReader = field(default_factory=VirtualReader)
    services: tuple[Service, ...] | None = None

    def __post_init__(self) -> None:
        services = load(self.settings.services) if self.services is None else self.services
        self.kiosk: Kiosk = assemble(self._ports(), services)

    def _ports(self) -> Ports:
        return Ports(
            settings=self.settings,
            city=CITY,
            name="plaza-simulated",
            database=self.folder / "kiosk.db",
            reader=self.reader,
            issuer=self.issuer,
            page_printer=self.pages,
            receipt_printer=self.receipts,
            clock=self.clock,
            log=self.log,
            place=PLACE,
            page_rules=PLAIN_PAPERS,
            spawn=None if self.threads else _at_once,
            wait=time.sleep if self.threads else self.advance,
        )

    def advance(self, seconds: float) -> None:
        """Let time pass on a held clock."""
        if isinstance(self.clock, HeldClock):
            self.clock.advance(seconds)

    def insert(self, name: str = "demo", tries: int | None = None) -> None:
        """Put a card of the TEST PKI down; tries: PIN tries it still has."""
        tries_kept = TriesInMemory()
        if tries is not None:
            tries_kept.keep(f"{PRESENT_CARD.application.hex()}/{PRESENT_CARD.pin_file:04X}", tries)
        self.reader.insert(VirtualCard(load_image(self.pki.cards / name), tries_kept))
        self._seen()

    def remove(self) -> None:
        """Take the card away."""
        self.reader.remove()
        self._seen()

    def settle(self, seconds: float = 0.0) -> None:
        """Let time pass, then make one round of everything that else runs by itself."""
        self.advance(seconds)
        self.kiosk.caretaker.look()
        self.kiosk.caretaker.tick()
        self.kiosk.watcher.look()

    def _seen(self) -> None:
        if not self.threads:
            self.kiosk.watcher.look()


def _at_once(_name: str, work: Callable[[], None]) -> None:
    work()
