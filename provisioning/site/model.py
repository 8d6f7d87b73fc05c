"""The site file of one box: every room's section in one frozen object.

``provisioning.site.city`` makes such a file for each box out of the file of a whole city.
"""

from __future__ import annotations

import ipaddress
from typing import Annotated, Literal

import msgspec

from captive_portal.settings import InterfaceName, WifiSettings
from device.card.settings import CardSettings
from device.printer.settings import PagePrinterSettings, ReceiptPrinterSettings
from device.settings import Section
from kiosk.issuer.settings import IssuerSettings
from kiosk.settings import CitySettings, IssuerLinkSettings, KioskSettings
from provisioning.backup.settings import BackupSettings
from provisioning.cityhall.settings import CityHallLinkSettings, CityHallSettings
from provisioning.retention.settings import RetentionSettings
from provisioning.updates.settings import UpdateSettings

Part = Literal["kiosk", "wifi", "issuer", "cityhall"]
UsbId = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{4}:[0-9a-f]{4}$")]


class BoxSettings(Section, frozen=True, kw_only=True):
    """name: what this box signs and reports as, e.g. "chisatooka-1". Letters, digits and hyphens. place: where it
    stands. asset: its number in the city's inventory. screen: it has a touch screen. lone: register and seal key lie
    on this box in a plaza, since there is no city hall behind it. parts: what it does, as far as its sections are
    there.
    """

    name: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9._-]{1,63}(?![\s\S])")]
    place_ja: str = ""
    place_en: str = ""
    asset: str = ""
    screen: bool = True
    lone: bool = False
    parts: list[Part] = msgspec.field(default_factory=lambda: ["kiosk", "wifi", "issuer", "cityhall"])


class NetworkSettings(Section, frozen=True, kw_only=True):
    """The box's own network. uplink: towards city and Internet. address: "192.0.2.11/24", or "" for DHCP; gateway and
    resolvers go with it. ntp: time servers, empty: Debian's. reachable: networks beside the private ones that our
    processes may speak to ("203.0.113.0/24"); everything else is shut by systemd.
    """

    uplink: InterfaceName = "eth0"
    address: str = ""
    gateway: str = ""
    resolvers: list[str] = msgspec.field(default_factory=list)
    ntp: list[str] = msgspec.field(default_factory=list)
    reachable: list[str] = msgspec.field(default_factory=list)

    def __post_init__(self) -> None:
        """Raises ValueError when an address is none."""
        for network in self.reachable:
            ipaddress.ip_network(network)
        for resolver in self.resolvers:
            ipaddress.ip_address(resolver)
        if self.address:
            own = ipaddress.ip_interface(self.address).network
            if self.gateway and ipaddress.ip_address(self.gateway) not in own:
                raise ValueError("gateway outside network")


class UsbSettings(Section, frozen=True, kw_only=True):
    """What may be plugged in. guard: usbguard lets in hubs, card readers and touch screens, and what ``allow`` names
    ("vendor:product" as lsusb shows it). keyboards: keyboards and mice work at the touch screen.
    """

    guard: bool = True
    allow: list[UsbId] = msgspec.field(default_factory=list)
    keyboards: bool = False


class Site(Section, frozen=True, kw_only=True):
    """Everything one box is told. A section that a box does not use may be left out."""

    box: BoxSettings
    city: CitySettings
    card: CardSettings = msgspec.field(default_factory=CardSettings)
    receipt_printer: ReceiptPrinterSettings = msgspec.field(default_factory=ReceiptPrinterSettings)
    page_printer: PagePrinterSettings = msgspec.field(default_factory=PagePrinterSettings)
    issuer_link: IssuerLinkSettings = msgspec.field(default_factory=IssuerLinkSettings)
    kiosk: KioskSettings = msgspec.field(default_factory=KioskSettings)
    network: NetworkSettings = msgspec.field(default_factory=NetworkSettings)
    usb: UsbSettings = msgspec.field(default_factory=UsbSettings)
    issuer: IssuerSettings | None = None
    wifi: WifiSettings | None = None
    updates: UpdateSettings = msgspec.field(default_factory=UpdateSettings)
    cityhall: CityHallSettings | None = None
    cityhall_link: CityHallLinkSettings | None = None
    backup: BackupSettings | None = None
    retention: RetentionSettings = msgspec.field(default_factory=RetentionSettings)
