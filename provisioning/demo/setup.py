"""What a demo needs on disk before its processes start: TEST PKI, register, site file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from device.card.credential import identity
from device.card.virtual.pki import TestPki
from device.card.virtual.process import CardState, write_state
from device.clock import SystemClock
from device.settings import read
from device.store import Store
from kiosk.issuer.register.register import REGISTER_MIGRATIONS, Register
from kiosk.issuer.register.synthetic_people import DEMO_RESIDENT
from provisioning.cityhall.settings import CityHallFile
from provisioning.demo import city_hall_boxes, wifi_month
from provisioning.demo.made_up_city import city_hall_file, kiosk_sections, lives_here, residents, wifi_sections
from provisioning.virtual import VirtualFolder

STATS_FILE = Path("stats/stats.db")
"""The default database of [wifi.stats], below the state folder."""
CARDS = {
    "demo": DEMO_RESIDENT,
    "demo2": "R00014",
    "older": "R00015",
    "expired": "R00016",
}
"""Card of the TEST PKI -> resident of the made-up register."""


@dataclass(frozen=True)
class Ports:
    """TCP ports of the demo on loopback. With those of Wi-Fi and city hall, it shows these as well."""

    kiosk: int
    receipt: int
    page: int
    portal: int = 0
    stats: int = 0
    staff: int = 0
    enrol: int = 0
    boxes: int = 0

    @property
    def whole(self) -> bool:
        """Whether Wi-Fi and city hall are shown beside the kiosk."""
        return self.portal != 0


@dataclass(frozen=True)
class Prepared:
    """site: the box's site file. city_hall: that of city hall's service, and staff_password: of its account; None and
    "" when only the kiosk is shown.
    """

    site: Path
    city_hall: Path | None = None
    staff_password: str = ""


def prepare(folder: Path, ports: Ports, terminal: str) -> Prepared:
    """Make what is missing under ``folder`` and write the site files anew. Cards lie beside the reader."""
    virtual = VirtualFolder(folder)
    pki = TestPki(virtual.pki)
    pki.ensure()
    _fill_register(folder, pki)
    write_state(virtual.card_state, CardState())
    site, text = folder / "site.toml", _kiosk(ports, terminal, virtual)
    if not ports.whole:
        site.write_text(text, "utf-8")
        return Prepared(site)
    site.write_text(text + wifi_sections(portal=ports.portal, stats=ports.stats), "utf-8")
    hall = folder / "city-hall.toml"
    hall.write_text(city_hall_file(staff=ports.staff, enrol=ports.enrol, boxes=ports.boxes), "utf-8")
    now = SystemClock().now()
    wifi_month.fill(folder / STATS_FILE, now)
    return Prepared(site, hall, city_hall_boxes.fill(read(hall, CityHallFile).cityhall, folder, now))


def _kiosk(ports: Ports, terminal: str, virtual: VirtualFolder) -> str:
    return kiosk_sections(
        kiosk=ports.kiosk,
        receipt=ports.receipt,
        page=ports.page,
        terminal=terminal,
        trust=virtual.pki / "trust",
    )


def _fill_register(folder: Path, pki: TestPki) -> None:
    store = Store(folder / "issuer" / "register.db", REGISTER_MIGRATIONS)
    register = Register(store)
    shown = register.show(DEMO_RESIDENT)
    if shown is None or not lives_here(shown.household.address):
        register.import_population(residents())
    for card, resident in CARDS.items():
        register.link(*identity(pki.credential(card)), resident)
    store.close()
