"""The [cityhall] section (city hall) and the [cityhall_link] section (every box)."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from device.catalogue import name_in
from device.settings import Section

FOLDER, DATABASE = "fleet", "fleet.db"
"""Below the state folder. The names of the first release stay on disk: back-ups and the way back go by them."""
CHAIN_HEADER = "X-Hiroba-Chain"
"""HAVE/NEXT in a box's call, NEXT in the answer (boxes/clones.py). A header, so that either side may be older."""
Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]


class CityHallSettings(Section, frozen=True, kw_only=True):
    """City hall's service. host: address to listen on. names: DNS names and addresses it is reached by; the city's CA
    is made for these alone. staff_port: pages for staff. enrol_port: boxes without a credential. box_port: mutual TLS.
    database: "" for SQLite below the state folder, or postgresql://… certificate, key: the service's own TLS credential
    (PEM); "" lets the city's CA make it. box_certificate_days: life of a box's credential. code_days: life of an
    enrolment code. silent_minutes without a heartbeat make a box "silent". places: box -> where it stands, in Japanese
    and English, as staff know it; a city's file fills it from its boxes. second_factor: "required", or "optional" for
    trying things out. second_factor_days: how long a new, reset or taken over account may register its first one.
    four_eyes: grave acts need another person than the one who asked. staff_days: how long what staff did is kept.
    """

    host: str = "0.0.0.0"  # noqa: S104  # a service of the city's network; the boxes' listener has mutual TLS
    names: Annotated[list[str], msgspec.Meta(min_length=1)]
    staff_port: Port = 8443
    enrol_port: Port = 8444
    box_port: Port = 8445
    database: str = ""
    certificate: str = ""
    key: str = ""
    city_name: str = ""
    box_certificate_days: Annotated[int, msgspec.Meta(ge=1, le=397)] = 30
    code_days: Annotated[int, msgspec.Meta(ge=1, le=365)] = 30
    silent_minutes: Annotated[int, msgspec.Meta(ge=2, le=10080)] = 15
    second_factor: Literal["required", "optional"] = "required"
    second_factor_days: Annotated[int, msgspec.Meta(ge=1, le=365)] = 14
    four_eyes: bool = True
    staff_days: Annotated[int, msgspec.Meta(ge=31, le=36525)] = 1826
    places: dict[str, list[str]] = msgspec.field(default_factory=dict)

    def place(self, box: str, language: str) -> str:
        """Where ``box`` stands in ``language`` ("ja" or another), or ""."""
        said = [name for name in self.places.get(box, []) if name]
        return name_in(language, said[0], said[-1]) if said else ""


class CityHallLinkSettings(Section, frozen=True, kw_only=True):
    """Where a box finds city hall. host: its name. ca: PEM file of the city's CA, relative to the state folder unless
    absolute. box_port, enrol_port: see CityHallSettings.
    """

    host: str
    ca: str = "enrolment/city-ca.pem"
    box_port: Port = 8445
    enrol_port: Port = 8444
    timeout_seconds: float = 15.0


class CityHallFile(msgspec.Struct, frozen=True):
    """A settings file that ``hiroba run cityhall`` can use: a whole site file, or one with nothing but [cityhall]."""

    cityhall: CityHallSettings
