"""Which phone has an address, and what holds it to that: leases, first-come addresses, static neighbours.

Who a phone is comes from its frames alone: the lease that dnsmasq gave to the MAC of its requests, or the MAC that used
the address first (``source_rules``); and for a request to the portal the MAC that began that very connection
(``connection_marks``). The kernel's neighbour table is written here and never asked.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

from captive_portal.gate.errors import KernelRefused
from captive_portal.gate.kernel import element_codec, first_come_sets, netlink
from captive_portal.gate.kernel.connection_marks import mark_of_connection, phone_mark
from captive_portal.gate.kernel.lease_changes import LeaseChanges, lease_elements
from captive_portal.gate.kernel.lease_file import LeaseFile
from captive_portal.gate.kernel.packet_filter import MAX_BATCH_BYTES
from captive_portal.gate.kernel.reconcile import Element, ElementName, Plan
from captive_portal.gate.kernel.static_neighbours import StaticNeighbours
from captive_portal.gate.policy.session import ObservedPhone, spot_of
from captive_portal.settings import SpotSettings, WifiSettings
from device.clock import Clock

FOLLOW_SECONDS = 0.5
"""Seconds between two looks at the lease files. Until then a new lease is a first-come address."""
PIN_SECONDS = 5.0
"""Seconds between two looks at the first-come addresses, at least; fifty times what one look costs."""
LEASE_SETS = ("leased4", "leased", "arp_leased4", "arp_leased", "own6")


class AddressBindings(Protocol):
    """Finds the phone behind an address, and keeps the kernel's bindings. All but ``find`` raise KernelRefused."""

    def find(self, ip: str, port: int = 0) -> ObservedPhone | None:
        """The phone that has ``ip``; with ``port``, only if it began the connection from there to the portal. None
        without such a phone.
        """
        ...

    def start(self) -> None:
        """Read what stands now, before the first ``elements``."""
        ...

    def elements(self) -> Iterable[tuple[ElementName, Element]]:
        """The elements that a new table must have from the beginning."""
        ...

    def restore(self) -> None:
        """The table was installed anew: put back first-come addresses; drop what the kernel learned meanwhile."""
        ...

    def follow(self) -> None:
        """Follow leases and first-come addresses, when due."""
        ...

    def reconcile(self) -> int:
        """Repair the elements that differ from what was applied; how many did."""
        ...

    def next_due_at(self) -> float:
        """Monotonic seconds of the next ``follow``."""
        ...


class KernelAddressBindings:
    """The network namespace this thread is in."""

    def __init__(self, settings: WifiSettings, state: Path, clock: Clock, seed: int) -> None:
        """state: for the lease files; seed: of connection_marks."""
        self._settings, self._clock, self._seed = settings, clock, seed
        self._files = {spot.name: LeaseFile(state / spot.dhcp.leases) for spot in settings.spots if spot.dhcp}
        self._changes = {name: LeaseChanges() for name in self._files}
        self._interfaces = {spot.name: spot.interface for spot in settings.spots}
        self._netlink = netlink.NetlinkSocket(netlink.NETLINK_NETFILTER)
        self._netlink.set_send_buffer(MAX_BATCH_BYTES)
        self._neighbours = StaticNeighbours(self._interfaces.values())
        self._followed: dict[str, tuple[int, int]] = {}
        self._own6: set[str] = set()
        self._first_held: dict[str, str] = {}
        self._follow_at = self._pin_at = 0.0

    # -- who --

    def find(self, ip: str, port: int = 0) -> ObservedPhone | None:
        """See AddressBindings."""
        spot = spot_of(self._settings, ip)
        if spot is None:
            return None
        lease = "" if ":" in ip or not spot.dhcp else self._lease(spot.name, ip)
        mac = lease or self._first_come(ip)
        if not mac or (port and not self._began(mac, ip, port, spot)):
            return None
        ip4 = self._ip4(mac, spot) if ":" in ip else ip
        return ObservedPhone(spot.name, mac, ip4, leased=bool(lease or not spot.dhcp or (":" in ip and ip4)))

    def _lease(self, spot: str, ip: str) -> str:
        """The MAC that has the lease. While dnsmasq rewrites its file, a line may be missing for a moment."""
        return self._files[spot].mac_of(ip) or self._changes[spot].applied.get(ip, "")

    def _first_come(self, ip: str) -> str:
        kind = "phone6" if ":" in ip else "phone4"
        try:
            answers = self._netlink.request(element_codec.GET, element_codec.get_one_body(ElementName(kind, ip)))
        except OSError:
            return ""
        return next((mac for _, body in answers for _, mac in element_codec.holders(kind, body)), "")

    def _began(self, mac: str, ip: str, port: int, spot: SpotSettings) -> bool:
        """Whether the connection from there to the portal began with a frame of this MAC."""
        gateway, portal, wanted = spot.ipv6.gateway if ":" in ip else spot.ipv4.gateway, self._settings.portal, 0
        for at in (portal.tls_port, portal.port):
            with suppress(OSError):
                wanted = wanted or mark_of_connection(self._netlink, (ip, port), (gateway, at))
        return wanted == phone_mark(mac, self._seed)

    def _ip4(self, mac: str, spot: SpotSettings) -> str:
        """The IPv4 address of a phone that came by IPv6; "" when it has none here."""
        if spot.dhcp:
            return self._files[spot.name].ip_of(mac)
        with suppress(OSError):
            return next((ip for ip, at in self._held("phone4") if at == mac and self._spot_name(ip) == spot.name), "")
        return ""

    def _spot_name(self, ip: str) -> str:
        spot = spot_of(self._settings, ip)
        return spot.name if spot else ""

    def _held(self, kind: str) -> Iterator[tuple[str, str]]:
        for body in self._netlink.dump(element_codec.GET, element_codec.get_all_body(kind)):
            yield from element_codec.holders(kind, body)

    # -- leases and first-come addresses --

    def start(self) -> None:
        """See AddressBindings."""
        for name, file in self._files.items():
            file.refresh()
            self._changes[name].start(file.leases())
        self._own6 = own_addresses(self._interfaces.values())
        with _refusals("neighbours"):
            present = self._neighbours.read()
            for name, changes in self._changes.items():
                new = {ip: mac for ip, mac in changes.applied.items() if present.pop(ip, "") != mac}
                self._neighbours.change(self._interfaces[name], new, ())
            self._first_held = present

    def elements(self) -> Iterator[tuple[ElementName, Element]]:
        """See AddressBindings."""
        for changes in self._changes.values():
            yield from lease_elements(changes.applied.items())
        yield from ((ElementName("own6", address), Element()) for address in self._own6)

    def restore(self) -> None:
        """See AddressBindings."""
        with _refusals("addresses"):
            steps = element_codec.hold_steps(list(self._first_held.items()))
            if steps:
                self._netlink.transact(steps)
            self._neighbours.forget_learned()

    def next_due_at(self) -> float:
        """See AddressBindings."""
        return min(self._follow_at, self._pin_at) if self._files else self._pin_at

    def follow(self) -> None:
        """See AddressBindings."""
        now = self._clock.monotonic()
        if self._files and now >= self._follow_at:
            self._follow_at = now + FOLLOW_SECONDS
            for name, changes in self._changes.items():
                self._follow_leases(name, changes, now)
        if now >= self._pin_at:
            self._pin_at = now + PIN_SECONDS
            self._pin()
            self._follow_own6()
            self._pin_at = self._clock.monotonic() + max(PIN_SECONDS, 50 * (self._clock.monotonic() - now))

    def _follow_leases(self, name: str, changes: LeaseChanges, now: float) -> None:
        file = self._files[name]
        file.refresh()
        if file.stamp == self._followed.get(name) and not changes.waiting:
            return
        self._followed[name] = file.stamp
        before = changes.applied
        added, removed = changes.take(file.leases(), now)
        if not added and not removed:
            return
        old = {ip: before[ip] for ip in (*added, *removed) if ip in before}
        remove = [each for each in lease_elements(old.items()) if each[0].key not in added]
        with _refusals("leases"):
            self._netlink.transact(element_codec.changes(Plan(remove, list(lease_elements(added.items())))))
            self._neighbours.change(self._interfaces[name], added, removed)

    def _pin(self) -> None:
        """Static neighbours for leases and for first-come addresses in use (of the spots' networks), none for others.
        Read anew each time: dnsmasq puts an entry of its own, which is not static, in the place of ours (SIOCSARP).
        """
        leased = {name: dict(changes.applied) for name, changes in self._changes.items()}
        with _refusals("neighbours"):
            self._first_held = self._first_come_of_spots({ip for leases in leased.values() for ip in leases})
            present = self._neighbours.read()
            for name, interface in self._interfaces.items():
                held = {ip: mac for ip, mac in self._first_held.items() if self._spot_name(ip) == name}
                wanted = leased.get(name, {}) | held
                new = {ip: mac for ip, mac in wanted.items() if present.get(ip) != mac}
                gone = [ip for ip in present if ip not in wanted and self._spot_name(ip) == name]
                self._neighbours.change(interface, new, gone)

    def _first_come_of_spots(self, leased: set[str]) -> dict[str, str]:
        found = (pair for kind in ("phone4", "phone6") for pair in self._held(kind))
        return {ip: mac for ip, mac in found if ip not in leased and self._spot_name(ip)}

    def _follow_own6(self) -> None:
        before, self._own6 = self._own6, own_addresses(self._interfaces.values())
        gone, new = before - self._own6, self._own6 - before
        if gone or new:
            plan = Plan(*([(ElementName("own6", ip), Element()) for ip in each] for each in (gone, new)))
            with _refusals("own addresses"):
                self._netlink.transact(element_codec.changes(plan))

    def reconcile(self) -> int:
        """See AddressBindings."""
        wanted = dict(self.elements())
        present: dict[ElementName, Element] = {}
        with _refusals("addresses"):
            for kind in LEASE_SETS:
                for body in self._netlink.dump(element_codec.GET, element_codec.get_all_body(kind)):
                    present |= {name: Element() for name, _ in element_codec.readings(kind, body)}
            remove = [(name, Element()) for name in present if name not in wanted]
            add = [(name, Element()) for name in wanted if name not in present]
            if remove or add:
                self._netlink.transact(element_codec.changes(Plan(remove, add)))
            first_come = first_come_sets.repair(self._netlink, self._neighbours.read())
        return len(remove) + len(add) + first_come

    def close(self) -> None:
        """Close the sockets; what was applied stays in the kernel."""
        self._netlink.close()
        self._neighbours.close()


@contextmanager
def _refusals(what: str) -> Iterator[None]:
    """The kernel's refusals as KernelRefused."""
    try:
        yield
    except OSError as error:
        raise KernelRefused(what=what, reason=error.errno) from error


def own_addresses(interfaces: Iterable[str]) -> set[str]:
    """The IPv6 addresses of the box itself on these interfaces (proc(5): /proc/net/if_inet6)."""
    names = set(interfaces)
    try:
        lines = Path("/proc/thread-self/net/if_inet6").read_text("ascii").splitlines()
    except OSError:
        return set()
    rows = [line.split() for line in lines]
    return {socket.inet_ntop(socket.AF_INET6, bytes.fromhex(row[0])) for row in rows if row[5] in names}
