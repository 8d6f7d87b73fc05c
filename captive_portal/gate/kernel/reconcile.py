"""Desired against actual: which elements of the table's sets to add, replace and remove. Pure.

An element is named by (set, key) in nft's own spelling, so that what is wanted and what the kernel shows compare as
text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from captive_portal.gate.kernel.ruleset import TABLE
from captive_portal.gate.policy.session import Session
from captive_portal.settings import SpotSettings

TOLERANCE = 2.0
"""Seconds by which a time-out may differ before it is put right."""


class Name(NamedTuple):
    """Which element: the set and the key as nft prints it."""

    set: str
    key: str


class Element(NamedTuple):
    """mark: the value of a map's element, 0 in a set. seconds: to live from now; None: for ever."""

    mark: int = 0
    seconds: float | None = None


class Reading(NamedTuple):
    """An element as the kernel shows it. bytes: its counter, 0 without one."""

    element: Element
    bytes: int = 0


class Plan(NamedTuple):
    """One transaction. Removed elements are named with their present value; replaced ones are in both lists."""

    remove: list[tuple[Name, Element]]
    add: list[tuple[Name, Element]]

    def __bool__(self) -> bool:
        return bool(self.remove or self.add)


class Pass(NamedTuple):
    """What the kernel has to know of one session. ip4: "" when it has none; ends: monotonic seconds."""

    mac: str
    ip4: str
    interface: str
    ipv6: bool
    mark: int
    ends: float
    throttled: bool


MAPS = frozenset({"up4", "up6"})
OF_SESSIONS = ("up4", "up6", "live", "slow")
GARDENS = ("garden4", "garden6")
OURS = (*OF_SESSIONS, "blocked", "disaster")
"""The sets whose elements are ours alone; garden sets belong to dnsmasq, meters and crowds to the kernel."""


def plan(desired: Mapping[Name, Element], actual: Mapping[Name, Element]) -> Plan:
    """What makes ``actual`` into ``desired``. An element whose time is up is not desired."""
    wanted = {name: e for name, e in desired.items() if e.seconds is None or e.seconds > 0}
    remove = [(name, e) for name, e in actual.items() if name not in wanted or not same(wanted[name], e)]
    add = [(name, e) for name, e in wanted.items() if name not in actual or not same(e, actual[name])]
    return Plan(remove, add)


def same(one: Element, other: Element) -> bool:
    """Equal mark, and time-outs within TOLERANCE."""
    if one.mark != other.mark:
        return False
    if one.seconds is None or other.seconds is None:
        return one.seconds is other.seconds
    return abs(one.seconds - other.seconds) <= TOLERANCE


def pass_of(session: Session, spot: SpotSettings) -> Pass:
    """The session as it is to be carried out. Where IPv6 is off there is nothing to let through by it."""
    ipv6 = spot.ipv6.mode != "off"
    return Pass(session.mac, session.ip4, spot.interface, ipv6, session.mark, session.ends, session.throttled)


def key_of(kind: str, of: Pass) -> str:
    """The key of a session's element in the set ``kind``; "" when it has none there."""
    if kind == "up4":
        return f"{of.mac} . {of.ip4}" if of.ip4 else ""
    if kind == "up6":
        return f'"{of.interface}" . {of.mac}' if of.ipv6 else ""
    return f"0x{of.mark:08x}" if kind == "live" or of.throttled else ""


def element_of(kind: str, of: Pass, now: float) -> Element:
    """Its element there; ``now`` monotonic."""
    return Element(of.mark if kind in MAPS else 0, of.ends - now)


def elements_of(of: Pass, now: float) -> dict[Name, Element]:
    """The elements of one session; ``now`` monotonic. None when its time is up."""
    if of.ends <= now:
        return {}
    return {Name(kind, key): element_of(kind, of, now) for kind in OF_SESSIONS if (key := key_of(kind, of))}


def elements_of_switches(blocked: Iterable[str], open_interfaces: Iterable[str], left: float) -> dict[Name, Element]:
    """Blocked MACs, and the interfaces that disaster mode opens for ``left`` seconds."""
    elements = {Name("blocked", mac): Element() for mac in blocked}
    if left > 0:
        elements |= {Name("disaster", f'"{interface}"'): Element(0, left) for interface in open_interfaces}
    return elements


def additions(elements: Iterable[tuple[Name, Element]]) -> str:
    """These elements as a script for nft."""
    by_set: dict[str, list[str]] = {}
    for name, element in elements:
        by_set.setdefault(name.set, []).append(_spell(name, element))
    return "".join(f"add element inet {TABLE} {kind} {{ {', '.join(spelt)} }}\n" for kind, spelt in by_set.items())


def _spell(name: Name, element: Element) -> str:
    timeout = "" if element.seconds is None else f" timeout {_duration(element.seconds)}"
    value = f" : {element.mark}" if name.set in MAPS else ""
    return f"{name.key}{timeout}{value}"


def _duration(seconds: float) -> str:
    """nft reads each unit's number into 32 bits, so milliseconds alone would end after 49 days, and sooner."""
    whole, rest = divmod(max(1, int(seconds * 1000)), 1000)
    days, whole = divmod(whole, 86400)
    return f"{days}d{whole}s{rest}ms"
