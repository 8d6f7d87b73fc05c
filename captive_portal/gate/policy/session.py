"""A session: one phone online, and the arithmetic of its limits. Pure."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import NamedTuple

from captive_portal.settings import SpotSettings, WifiSettings

FIRST_MARK = 256
"""Connection marks below this have fixed meanings (ruleset); a session's mark is random and not below it."""


class ObservedPhone(NamedTuple):
    """A phone as the neighbour table shows it now. ip4: its IPv4 address even when it was found by IPv6, or "". leased:
    dnsmasq gave it that address, or the spot requires no lease.
    """

    spot: str
    mac: str
    ip4: str
    leased: bool = True


@dataclass(slots=True)
class Session:
    """Desired state: this phone passes until ``ends`` (monotonic seconds of this boot). spent: seconds used before
    ``since`` (an earlier boot); bytes are totals; told_*: reported to statistics already; seen: the kernel's counters
    as last read, by set; moved_at: since when it has its present MAC and address, when it moved; ip6: IPv6 addresses it
    sent from since then. Stored as JSON under these field names.
    """

    id: str
    spot: str
    mac: str
    ip4: str
    mark: int
    method: str
    language: str
    device: str
    account: str
    phone: str
    started_at: datetime
    since: float
    ends: float
    quota_bytes: int = 0
    spent: float = 0.0
    moves: int = 0
    bytes_up: int = 0
    bytes_down: int = 0
    throttled: bool = False
    told_seconds: int = 0
    told_up: int = 0
    told_down: int = 0
    seen: dict[str, int] = field(default_factory=dict)
    moved_at: datetime | None = None
    ip6: list[str] = field(default_factory=list)

    def seconds_used(self, now: float) -> float:
        """Seconds online up to ``now`` (monotonic)."""
        return self.spent + max(0.0, min(now, self.ends) - self.since)

    def bytes_used(self) -> int:
        """Both directions."""
        return self.bytes_up + self.bytes_down


def seconds_until_closing(spot: SpotSettings, at: datetime) -> float | None:
    """Seconds until the spot closes: None when it is closed now, infinity when it never closes."""
    opens, closes = _minutes(spot.opens), _minutes(spot.closes)
    if opens % 1440 == closes % 1440:
        return float("inf")
    now = at.hour * 60 + at.minute + (at.second + at.microsecond / 1e6) / 60
    if closes < opens:  # over midnight
        left = closes + 1440 - now if now >= opens else closes - now
        inside = now >= opens or now < closes
    else:
        left, inside = closes - now, opens <= now < closes
    return left * 60 if inside else None


def granted_seconds(spot: SpotSettings, minutes: int, used_today: float, at: datetime) -> float | None:
    """Seconds a visit may last from now: asked for (0: the spot's), cut by day and closing time. None: closed."""
    closing = seconds_until_closing(spot, at)
    if closing is None:
        return None
    seconds = 60.0 * (minutes or spot.limits.minutes_per_visit)
    return max(0.0, min(seconds, closing, seconds_left_today(spot, used_today)))


def seconds_left_today(spot: SpotSettings, used_today: float) -> float:
    """Seconds left of the day's limit; infinity without one."""
    return 60.0 * spot.limits.minutes_per_day - used_today if spot.limits.minutes_per_day else float("inf")


def spot_of(settings: WifiSettings, ip: str) -> SpotSettings | None:
    """The spot whose network holds ``ip``, or None."""
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return None
    for spot in settings.spots:
        if address.version == 4 and address in network4(spot):
            return spot
        if address.version == 6 and spot.ipv6.mode != "off" and address in ipaddress.ip_network(spot.ipv6.network):
            return spot
    return None


def network4(spot: SpotSettings) -> ipaddress.IPv4Network:
    """The phones' IPv4 network of a spot."""
    return _network4(spot.ipv4.gateway, spot.ipv4.prefix)


@cache
def _network4(gateway: str, prefix: int) -> ipaddress.IPv4Network:
    return ipaddress.IPv4Network(f"{gateway}/{prefix}", strict=False)


def _minutes(text: str) -> int:
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)
