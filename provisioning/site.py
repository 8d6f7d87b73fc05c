"""The site file: one TOML for one box, every room's section in one frozen object. May import: every room's settings."""

from __future__ import annotations

from pathlib import Path

import msgspec

from captive_portal.settings import WifiSettings
from device.card.settings import CardSettings
from device.printer.settings import PagePrinterSettings, ReceiptPrinterSettings
from device.settings import Section, read
from kiosk.issuer.settings import IssuerSettings
from kiosk.settings import CitySettings, IssuerLinkSettings, KioskSettings
from provisioning.bundle.settings import UpdateSettings
from provisioning.fleet.settings import FleetLinkSettings, FleetSettings


class BoxSettings(Section, frozen=True, kw_only=True):
    """name: what this box signs and reports as, e.g. "chisatooka-1". Letters, digits and hyphens."""

    name: str


class Site(Section, frozen=True, kw_only=True):
    """Everything one box is told. A section that a box does not use may be left out."""

    box: BoxSettings
    city: CitySettings
    card: CardSettings = msgspec.field(default_factory=CardSettings)
    receipt_printer: ReceiptPrinterSettings = msgspec.field(default_factory=ReceiptPrinterSettings)
    page_printer: PagePrinterSettings = msgspec.field(default_factory=PagePrinterSettings)
    issuer_link: IssuerLinkSettings = msgspec.field(default_factory=IssuerLinkSettings)
    kiosk: KioskSettings = msgspec.field(default_factory=KioskSettings)
    issuer: IssuerSettings | None = None
    wifi: WifiSettings | None = None
    updates: UpdateSettings = msgspec.field(default_factory=UpdateSettings)
    fleet: FleetSettings | None = None
    fleet_link: FleetLinkSettings | None = None


def read_site(path: Path) -> Site:
    """The site file at ``path``. Raises SettingsError with file, line and key."""
    return read(path, Site)
