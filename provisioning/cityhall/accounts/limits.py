"""How often guesses are let through, as a table. Pure.

Counted is each try, before its password is looked at, so that tries sent at once count as well. Somebody elsewhere
cannot lock a member of staff out: from an address where that name logged in lately, only the pair of both counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from ipaddress import IPv6Address, ip_address

WINDOW_SECONDS = 15 * 60
KNOWN_SECONDS = 90 * 86400
"""How long a pair of name and address is known after its last log-in."""
SLOW_SECONDS = 300
"""A name that is over its limit is let through once in this time from addresses it does not know."""


class Counted(StrEnum):
    """What tries are counted by."""

    PAIR = "pair"
    ADDRESS = "address"
    NAME = "name"


MAX_TRIES: Mapping[Counted, int] = {Counted.PAIR: 8, Counted.ADDRESS: 40, Counted.NAME: 24}
"""Tries in WINDOW_SECONDS: one name from one address; all names from one address; one name from all addresses."""


def admits(tries: Mapping[Counted, int], *, known: bool, name_idle_seconds: int) -> bool:
    """Whether one more try is looked at. tries: in the window so far. name_idle_seconds: since the last one of the
    name from an address that it does not know.
    """
    if tries[Counted.PAIR] >= MAX_TRIES[Counted.PAIR]:
        return False
    if known:
        return True
    if tries[Counted.ADDRESS] >= MAX_TRIES[Counted.ADDRESS]:
        return False
    return tries[Counted.NAME] < MAX_TRIES[Counted.NAME] or name_idle_seconds >= SLOW_SECONDS


def network_of(address: str) -> str:
    """What counts as one address: IPv4 whole, IPv6 its /64 (RFC 8981: hosts change the rest at will)."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        return str(parsed.ipv4_mapped) if parsed.ipv4_mapped else f"{IPv6Address(int(parsed) >> 64 << 64)}/64"
    return str(parsed)
