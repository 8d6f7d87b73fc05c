"""Compares desired with actual elements of the table's sets: which to add, replace and remove. Pure.

An element is named by (set, key) in nft's syntax, so that desired and actual names compare as text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from ipaddress import IPv6Address
from typing import NamedTuple

from captive_portal.gate.kernel.ruleset import table_of
from captive_portal.gate.policy.session import Session
from captive_portal.settings import SpotSettings

TIMEOUT_TOLERANCE = 2.0
"""Seconds by which a time-out may differ before the element is replaced."""


class ElementName(NamedTuple):
    """An element: its set, and its key as nft prints it."""

    set: str
    key: str


class Element(NamedTuple):
    """mark: the value of a map's element, 0 in a set. seconds: time-out from now; None: none."""

    mark: int = 0
    seconds: float | None = None


class ElementReading(NamedTuple):
    """An element as read from the kernel. bytes: its counter, 0 without one."""

    element: Element
    bytes: int = 0


class Plan(NamedTuple):
    """One transaction. remove: with the present value; a replaced element is in both lists."""

    remove: list[tuple[ElementName, Element]]
    add: list[tuple[ElementName, Element]]

    def __bool__(self) -> bool:
        return bool(self.remove or self.add)


class KernelSession(NamedTuple):
    """What the elements of one session are made from. ip4: "" when it has none; ends: monotonic seconds."""

    mac: str
    ip4: str
    interface: str
    ipv6: bool
    mark: int
    ends: float
    throttled: bool


MAPS = frozenset({"up4", "up6"})
SESSION_SETS = ("up4", "up6", "live", "slow")
RAW_SETS = frozenset({"own6"})
"""Their keys are IPv6 addresses that the rules read as raw bytes; nft's text has them as numbers."""
GARDEN_SETS = ("garden4", "garden6")
OWN_SETS = (*SESSION_SETS, "blocked", "disaster")
"""Sets that only the gate writes; dnsmasq writes the garden sets, the ruleset itself the rate and usage sets."""


def plan(desired: Mapping[ElementName, Element], actual: Mapping[ElementName, Element]) -> Plan:
    """The changes from ``actual`` to ``desired``. An element whose time-out has passed is not desired."""
    wanted = {name: e for name, e in desired.items() if e.seconds is None or e.seconds > 0}
    remove = [(name, e) for name, e in actual.items() if name not in wanted or not matches(wanted[name], e)]
    add = [(name, e) for name, e in wanted.items() if name not in actual or not matches(e, actual[name])]
    return Plan(remove, add)


def matches(one: Element, other: Element) -> bool:
    """Equal mark, and time-outs within TIMEOUT_TOLERANCE."""
    if one.mark != other.mark:
        return False
    if one.seconds is None or other.seconds is None:
        return one.seconds is other.seconds
    return abs(one.seconds - other.seconds) <= TIMEOUT_TOLERANCE


def kernel_session(session: Session, spot: SpotSettings) -> KernelSession:
    """What of a session goes to the kernel. Without IPv6 at the spot it has no IPv6 element."""
    ipv6 = spot.ipv6.mode != "off"
    return KernelSession(session.mac, session.ip4, spot.interface, ipv6, session.mark, session.ends, session.throttled)


def element_key(kind: str, session: KernelSession) -> str:
    """The key of a session's element in the set ``kind``; "" when it has none there."""
    if kind == "up4":
        return f"{session.mac} . {session.ip4}" if session.ip4 else ""
    if kind == "up6":
        return f'"{session.interface}" . {session.mac}' if session.ipv6 else ""
    return f"0x{session.mark:08x}" if kind == "live" or session.throttled else ""


def session_element(kind: str, session: KernelSession, now: float) -> Element:
    """The session's element in the set ``kind``; ``now`` monotonic."""
    return Element(session.mark if kind in MAPS else 0, session.ends - now)


def session_elements(session: KernelSession, now: float) -> dict[ElementName, Element]:
    """The elements of one session; ``now`` monotonic. Empty once it has ended."""
    if session.ends <= now:
        return {}
    return {
        ElementName(kind, key): session_element(kind, session, now)
        for kind in SESSION_SETS
        if (key := element_key(kind, session))
    }


def switch_elements(blocked: Iterable[str], open_interfaces: Iterable[str], left: float) -> dict[ElementName, Element]:
    """Elements of blocked MACs, and of the interfaces that disaster mode opens for ``left`` seconds."""
    elements = {ElementName("blocked", mac): Element() for mac in blocked}
    if left > 0:
        elements |= {ElementName("disaster", f'"{interface}"'): Element(0, left) for interface in open_interfaces}
    return elements


def add_commands(elements: Iterable[tuple[ElementName, Element]]) -> str:
    """nft commands that add these elements."""
    by_set: dict[str, list[str]] = {}
    for name, element in elements:
        by_set.setdefault(name.set, []).append(_nft_element(name, element))
    return "".join(
        f"add element {' '.join(table_of(kind))} {kind} {{ {', '.join(texts)} }}\n" for kind, texts in by_set.items()
    )


def _nft_element(name: ElementName, element: Element) -> str:
    timeout = "" if element.seconds is None else f" timeout {_nft_duration(element.seconds)}"
    value = f" : {element.mark}" if name.set in MAPS else ""
    key = f"0x{int(IPv6Address(name.key)):032x}" if name.set in RAW_SETS else name.key
    return f"{key}{timeout}{value}"


def _nft_duration(seconds: float) -> str:
    """nft reads each unit's number into 32 bits, so milliseconds alone would end after 49 days, and sooner."""
    whole, rest = divmod(max(1, int(seconds * 1000)), 1000)
    days, whole = divmod(whole, 86400)
    return f"{days}d{whole}s{rest}ms"
