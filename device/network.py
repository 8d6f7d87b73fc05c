"""The box's network interfaces as the system shows them; the only importer of netifaces."""

from __future__ import annotations

from typing import NamedTuple

import netifaces
import psutil


class Interface(NamedTuple):
    """One interface. mac: "" when it has none; ipv4, ipv6: its own addresses without zone; up: carrier and switched on;
    bytes since it was made.
    """

    name: str
    mac: str
    ipv4: tuple[str, ...]
    ipv6: tuple[str, ...]
    up: bool
    bytes_sent: int
    bytes_received: int


def interfaces() -> dict[str, Interface]:
    """Every interface of this network namespace by name."""
    states, counters = psutil.net_if_stats(), psutil.net_io_counters(pernic=True)
    found = {}
    for name in netifaces.interfaces():
        facts = netifaces.ifaddresses(name)
        links = _addresses(facts, netifaces.AF_LINK)
        counted = counters.get(name)
        found[name] = Interface(
            name=name,
            mac=links[0] if links else "",
            ipv4=_addresses(facts, netifaces.AF_INET),
            ipv6=_addresses(facts, netifaces.AF_INET6),
            up=name in states and bool(states[name].isup),
            bytes_sent=counted.bytes_sent if counted else 0,
            bytes_received=counted.bytes_recv if counted else 0,
        )
    return found


def missing_interfaces(wanted: list[str]) -> list[str]:
    """Those of ``wanted`` that are not there."""
    present = set(netifaces.interfaces())
    return [name for name in wanted if name not in present]


def default_gateways() -> dict[str, str]:
    """Family ("ipv4", "ipv6") -> address of the default gateway, for the families that have one."""
    routes = netifaces.gateways().get("default", {})
    if not isinstance(routes, dict):
        return {}
    named = {"ipv4": routes.get(netifaces.AF_INET), "ipv6": routes.get(netifaces.AF_INET6)}
    return {name: route[0] for name, route in named.items() if route}


def _addresses(facts: dict[int, list[dict[str, str]]], family: int) -> tuple[str, ...]:
    return tuple(str(entry["addr"]).partition("%")[0] for entry in facts.get(family, []) if "addr" in entry)
