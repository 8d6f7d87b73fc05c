"""Synthetic sites and phones for the tests of the gate."""

from __future__ import annotations

from datetime import datetime

from captive_portal.gate.kernel.packet_filter import PacketFilter
from captive_portal.gate.kernel.reconcile import OWN_SETS, ElementName, ElementReading
from captive_portal.settings import Ipv4Settings, Ipv6Settings, LimitSettings, SpotSettings, WifiSettings
from device.clock import JST

MORNING = datetime(2026, 11, 23, 9, 0, tzinfo=JST)


def a_spot(**changes: object) -> SpotSettings:
    """A spot 10.90.0.0/22 on br-lan; ``changes`` by field name."""
    facts: dict[str, object] = {
        "name": "hall",
        "interface": "br-lan",
        "uplink": "up0",
        "ipv4": Ipv4Settings(gateway="10.90.0.1", prefix=22),
        "ipv6": Ipv6Settings(mode="routed", network="fd00:90::/64", gateway="fd00:90::1"),
        "login": ["one_tap", "voucher"],
    }
    return SpotSettings(**{**facts, **changes})  # type: ignore[arg-type]  # fields by name, checked by msgspec users


def a_site(limits: LimitSettings | None = None, **changes: object) -> WifiSettings:
    """A site of one such spot."""
    return WifiSettings(spots=[a_spot(limits=limits or LimitSettings(), **changes)])


def mac(number: int) -> str:
    """The MAC of phone ``number``: locally administered, synthetic."""
    return f"02:00:00:00:{number >> 8:02x}:{number & 255:02x}"


def ip(number: int) -> str:
    """The IPv4 address of phone ``number``."""
    return f"10.90.{(number + 256) >> 8 & 3}.{number & 255}"


def standing(kernel: PacketFilter) -> dict[ElementName, ElementReading]:
    """Every element of our own sets."""
    return dict(element for kind in OWN_SETS for element in kernel.readings(kind))
