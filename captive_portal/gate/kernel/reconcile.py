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


class ElementName(NamedTuple):
    """Which element: the set and the key as nft prints it."""

    set: str
    key: str


class Element(NamedTuple):
    """mark: the value of a map's element, 0 in a set. seconds: to live from now; None: for ever."""

    mark: int = 0
    seconds: float | None = None


class ElementReading(NamedTuple):
    """An element as the kernel shows it. bytes: its counter, 0 without one."""

    element: Element
    bytes: int = 0


class Plan(NamedTuple):
    """One transaction. Removed elements are named with their present value; replaced ones are in both lists."""

    remove: list[tuple[ElementName, Element]]
    add: list[tuple[ElementName, Element]]

    def __bool__(self) -> bool:
        return bool(self.remove or self.add)


class KernelSession(NamedTuple):
    """What the kernel has to know of one session. ip4: "" when it has none; ends: monotonic seconds."""

    mac: str
    ip4: str
    interface: str
    ipv6: bool
    mark: int
    ends: float
    throttled: bool


MAPS = frozenset({"up4", "up6"})
SESSION_SETS = ("up4", "up6", "live", "slow")
GARDEN_SETS = ("garden4", "garden6")
OWN_SETS = (*SESSION_SETS, "blocked", "disaster")
"""The sets whose elements are ours alone; garden sets belong to dnsmasq, meters and crowds to the kernel."""


def plan(desired: Mapping[ElementName, Element], actual: Mapping[ElementName, Element]) -> Plan:
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


def kernel_session(session: Session, spot: SpotSettings) -> KernelSession:
    """The session as it is to be carried out. Where IPv6 is off there is nothing to let through by it."""
    ipv6 = spot.ipv6.mode != "off"
    return KernelSession(session.mac, session.ip4, spot.interface, ipv6, session.mark, session.ends, session.throttled)


def element_key(kind: str, of: KernelSession) -> str:
    """The key of a session's element in the set ``kind``; "" when it has none there."""
    if kind == "up4":
        return f"{of.mac} . {of.ip4}" if of.ip4 else ""
    if kind == "up6":
        return f'"{of.interface}" . {of.mac}' if of.ipv6 else ""
    return f"0x{of.mark:08x}" if kind == "live" or of.throttled else ""


def session_element(kind: str, of: KernelSession, now: float) -> Element:
    """Its element there; ``now`` monotonic."""
    return Element(of.mark if kind in MAPS else 0, of.ends - now)


def session_elements(of: KernelSession, now: float) -> dict[ElementName, Element]:
    """The elements of one session; ``now`` monotonic. None when its time is up."""
    if of.ends <= now:
        return {}
    return {
        ElementName(kind, key): session_element(kind, of, now)
        for kind in SESSION_SETS
        if (key := element_key(kind, of))
    }


def switch_elements(blocked: Iterable[str], open_interfaces: Iterable[str], left: float) -> dict[ElementName, Element]:
    """Blocked MACs, and the interfaces that disaster mode opens for ``left`` seconds."""
    elements = {ElementName("blocked", mac): Element() for mac in blocked}
    if left > 0:
        elements |= {ElementName("disaster", f'"{interface}"'): Element(0, left) for interface in open_interfaces}
    return elements


def add_commands(elements: Iterable[tuple[ElementName, Element]]) -> str:
    """These elements as a script for nft."""
    by_set: dict[str, list[str]] = {}
    for name, element in elements:
        by_set.setdefault(name.set, []).append(_spell(name, element))
    return "".join(f"add element inet {TABLE} {kind} {{ {', '.join(spelt)} }}\n" for kind, spelt in by_set.items())


def _spell(name: ElementName, element: Element) -> str:
    timeout = "" if element.seconds is None else f" timeout {_duration(element.seconds)}"
    value = f" : {element.mark}" if name.set in MAPS else ""
    return f"{name.key}{timeout}{value}"


def _duration(seconds: float) -> str:
    """nft reads each unit's number into 32 bits, so milliseconds alone would end after 49 days, and sooner."""
    whole, rest = divmod(max(1, int(seconds * 1000)), 1000)
    days, whole = divmod(whole, 86400)
    return f"{days}d{whole}s{rest}ms"
