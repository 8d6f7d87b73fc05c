"""Desired against actual: which elements of the table's sets to add, replace and remove. Pure.

An element is named by (set, key) in nft's own spelling, so that what is wanted and what the kernel shows compare as
text. May import: session, captive_portal.settings.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from captive_portal.gate.ruleset import TABLE
from captive_portal.gate.session import Session

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


MAPS = frozenset({"up4", "up6"})
OURS = frozenset({"up4", "up6", "live", "slow", "blocked", "disaster"})
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


def elements_of(session: Session, interface: str, now: float) -> dict[Name, Element]:
    """The elements of one session; ``now`` monotonic. None when its time is up."""
    left = session.ends - now
    if left <= 0:
        return {}
    mark = f"0x{session.mark:08x}"
    elements = {
        Name("up6", f'"{interface}" . {session.mac}'): Element(session.mark, left),
        Name("live", mark): Element(0, left),
    }
    if session.ip4:
        elements[Name("up4", f"{session.mac} . {session.ip4}")] = Element(session.mark, left)
    if session.throttled:
        elements[Name("slow", mark)] = Element(0, left)
    return elements


def elements_of_switches(blocked: Iterable[str], open_interfaces: Iterable[str], left: float) -> dict[Name, Element]:
    """Blocked MACs, and the interfaces that disaster mode opens for ``left`` seconds."""
    elements = {Name("blocked", mac): Element() for mac in blocked}
    if left > 0:
        elements |= {Name("disaster", f'"{interface}"'): Element(0, left) for interface in open_interfaces}
    return elements


def commands(todo: Plan) -> str:
    """The plan as one nft script. An element to be removed is first added (no change if it is there), so that one
    that timed out a moment ago does not fail the transaction.
    """
    lines = []
    for name, element in todo.remove:
        lines.append(f"add {_spell(name, element._replace(seconds=None))}")
        lines.append(f"delete {_spell(name, Element())}")
    lines += [f"add {_spell(name, element)}" for name, element in todo.add]
    return "\n".join(lines) + "\n"


def _spell(name: Name, element: Element) -> str:
    timeout = "" if element.seconds is None else f" timeout {_duration(element.seconds)}"
    value = f" : {element.mark}" if name.set in MAPS and element.mark else ""
    return f"element inet {TABLE} {name.set} {{ {name.key}{timeout}{value} }}"


def _duration(seconds: float) -> str:
    """nft reads each unit's number into 32 bits, so milliseconds alone would end after 49 days, and sooner."""
    whole, rest = divmod(max(1, int(seconds * 1000)), 1000)
    days, whole = divmod(whole, 86400)
    return f"{days}d{whole}s{rest}ms"
