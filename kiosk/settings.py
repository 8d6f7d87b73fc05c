"""The [city], [kiosk] and [issuer_link] sections of the site file, and what the kiosk is told of its plaza."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec

from device.settings import Section

HourMinute = Annotated[str, msgspec.Meta(pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$")]
"""Local time of day, HH:MM."""


class CitySettings(Section, frozen=True, kw_only=True):
    """Who serves: names for screens and papers, and the telephone of the kiosk's manager."""

    name_ja: str
    name_en: str
    telephone: str


class IssuerLinkSettings(Section, frozen=True, kw_only=True):
    """Where the issuer answers. url: "https://host:port" without a trailing slash, by mutual TLS with the credential
    that enrolment wrote; "" is the issuer of this box, by its own socket.
    """

    url: str = ""
    timeout_seconds: float = 10.0


class KioskSettings(Section, frozen=True, kw_only=True):
    """The resident's screen. It listens on loopback only. opens/closes: local time HH:MM, daily; equal: always open.
    idle_seconds of quiet bring the question "still there?", warning_seconds more end the visit. staff_code_hash:
    scrypt, made by ``hiroba staff-code``. languages: screens offered, first is shown first. services: what the menu
    offers, in this order (the rows of ``kiosk.services``).
    """

    host: str = "127.0.0.1"
    port: int = 8100
    idle_seconds: float = 45.0
    warning_seconds: float = 30.0
    opens: HourMinute = "06:30"
    closes: HourMinute = "23:00"
    languages: list[str] = msgspec.field(default_factory=lambda: ["ja", "en"])
    services: Annotated[list[str], msgspec.Meta(min_length=1)] = msgspec.field(
        default_factory=lambda: ["certificates", "plaza"]
    )
    terminal: Literal["counter", "virtual"] = "counter"
    staff_code_hash: str = ""


@dataclass(frozen=True)
class WifiNetwork:
    """One Wi-Fi of the plaza. free: a phone joins it without a password."""

    ssid: str
    free: bool = True


@dataclass(frozen=True)
class Place:
    """Where this kiosk stands, out of other sections of the site file; names as in [box], "" when not told."""

    name_ja: str = ""
    name_en: str = ""
    networks: tuple[WifiNetwork, ...] = ()
