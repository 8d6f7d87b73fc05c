"""Repairs the sets of first-come addresses (``source_rules``) after another program emptied one of them.

An address stands in a set with its MAC (``seen``) and in another alone (``held``); the rules write both together. With
one of them empty an address is nobody's until it is forgotten, or a second phone gets it beside the first. The static
neighbour, which no packet changes, tells whose it was. Nothing here is a session.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Set
from typing import NamedTuple

from captive_portal.gate.kernel import element_codec, netlink
from captive_portal.gate.kernel.reconcile import Element, ElementName, Plan

PAIRS = (("seen4", "held4", "phone4"), ("seen6", "held6", "phone6"), ("arp_seen4", "arp_held4", ""))
"""(address and MAC, address, address to MAC)."""


class Oddities(NamedTuple):
    """What does not fit. orphans: addresses held by no MAC; missing: addresses of a MAC that nobody holds; rivals:
    (address, MAC) beside the right one.
    """

    orphans: frozenset[str]
    missing: frozenset[str]
    rivals: frozenset[tuple[str, str]]


def find_oddities(seen: Set[tuple[str, str]], held: Set[str], static: Mapping[str, str]) -> Oddities:
    """static: address -> MAC of the static neighbours. Pure."""
    macs = defaultdict(set)
    for ip, mac in seen:
        macs[ip].add(mac)
    rivals = {(ip, mac) for ip, mac in seen if static.get(ip, mac) != mac and static[ip] in macs[ip]}
    return Oddities(frozenset(held - macs.keys()), frozenset(macs.keys() - held), frozenset(rivals))


def repair(socket: netlink.NetlinkSocket, static: Mapping[str, str]) -> int:
    """Make the sets fit each other; the number of elements. Two readings must agree, because phones come between the
    reading of one set and of the next. Raises OSError.
    """
    count = 0
    for seen, held, phone in PAIRS:
        one, other = (find_oddities(_pairs(socket, seen), _keys(socket, held), static) for _ in range(2))
        odd = Oddities(one.orphans & other.orphans, one.missing & other.missing, one.rivals & other.rivals)
        if any(odd):
            socket.transact(_steps(odd, (seen, held, phone), static, _phones(socket, phone) if phone else frozenset()))
            count += sum(map(len, odd))
    return count


def _steps(
    odd: Oddities, names: tuple[str, str, str], static: Mapping[str, str], phones: Set[str]
) -> list[tuple[int, bytes]]:
    """phones: the addresses in the map, whose elements can only be replaced by removing them."""
    seen, held, phone = names
    remove = [(ElementName(held, ip), Element()) for ip in sorted(odd.orphans)]
    remove += [(ElementName(seen, f"{ip} . {mac}"), Element()) for ip, mac in sorted(odd.rivals)]
    add = [(ElementName(held, ip), Element()) for ip in sorted(odd.missing)]
    steps = element_codec.changes(Plan(remove, add))
    known = sorted({ip for ip in (*odd.orphans, *(ip for ip, _ in odd.rivals)) if ip in static}) if phone else []
    steps += element_codec.delete_steps([ElementName(phone, ip) for ip in known if ip in phones])
    return steps + element_codec.hold_steps([(ip, static[ip]) for ip in known])


def _pairs(socket: netlink.NetlinkSocket, kind: str) -> frozenset[tuple[str, str]]:
    found = (key.partition(" . ") for key in _keys(socket, kind))
    return frozenset((ip, mac) for ip, _, mac in found)


def _keys(socket: netlink.NetlinkSocket, kind: str) -> frozenset[str]:
    bodies = socket.dump(element_codec.GET, element_codec.get_all_body(kind))
    return frozenset(name.key for body in bodies for name, _ in element_codec.readings(kind, body))


def _phones(socket: netlink.NetlinkSocket, kind: str) -> frozenset[str]:
    bodies = socket.dump(element_codec.GET, element_codec.get_all_body(kind))
    return frozenset(ip for body in bodies for ip, _ in element_codec.holders(kind, body))
