"""What a demo needs on disk before its processes start: TEST PKI, register, site file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec

from device.card.credential import identity
from device.card.virtual.pki import TestPki
from device.card.virtual.process import CardState, write_state
from device.store import Store
from kiosk.issuer.register.register import REGISTER_MIGRATIONS, Register
from kiosk.issuer.register.synthetic_people import DEMO_RESIDENT, population
from kiosk.shell.staff_code import hash_staff_code, staff_code_of
from provisioning.virtual import VirtualFolder

STAFF_CODE = "2468"
"""The demo's staff code; of no other box."""
CARDS = {
    "demo": DEMO_RESIDENT,
    "demo2": "R00014",
    "older": "R00015",
    "expired": "R00016",
}
"""Card of the TEST PKI -> resident of the made-up register."""


@dataclass(frozen=True)
class Ports:
    """TCP ports of the demo on loopback."""

    kiosk: int
    issuer: int
    receipt: int
    page: int


def prepare(folder: Path, ports: Ports, terminal: str) -> Path:
    """Make what is missing under ``folder`` and write the site file anew; its path. Cards lie beside the reader."""
    virtual = VirtualFolder(folder)
    pki = TestPki(virtual.pki)
    pki.ensure()
    _fill_register(folder, pki)
    write_state(virtual.card_state, CardState())
    site = folder / "site.toml"
    site.write_text(_site_text(ports, terminal, virtual), "utf-8")
    return site


def _fill_register(folder: Path, pki: TestPki) -> None:
    store = Store(folder / "issuer" / "register.db", REGISTER_MIGRATIONS)
    register = Register(store)
    if not register.ready():
        register.import_population(population())
    for card, resident in CARDS.items():
        register.link(*identity(pki.credential(card)), resident)
    store.close()


def _site_text(ports: Ports, terminal: str, virtual: VirtualFolder) -> str:
    trust = msgspec.json.encode(str(virtual.pki / "trust")).decode()
    return f"""# Written by the demo at every start.
[box]
name = "demo-1"

[city]
name_ja = "摂津市"
name_en = "Settsu City"
telephone = "06-0000-0000"

[receipt_printer]
port = {ports.receipt}

[page_printer]
uri = "ipp://127.0.0.1:{ports.page}/ipp/print"

[issuer_link]
url = "http://127.0.0.1:{ports.issuer}"

[kiosk]
port = {ports.kiosk}
terminal = "{terminal}"
opens = "00:00"
closes = "00:00"
staff_code_hash = "{hash_staff_code(staff_code_of(STAFF_CODE))}"

[issuer]
port = {ports.issuer}
trust = {trust}
mayor = "摂津市長　見本　太郎"
municipality_code = "27999"
seal_name = "TEST Settsu City"
"""
