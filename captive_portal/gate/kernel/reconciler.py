"""Keeps the kernel as the policy wants it: carries changes out, reads what stands there, counts, puts right.

What stands in the kernel by our own hand is remembered as one ``KernelSession`` a session, so that a look at the kernel finds
what others did to it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import chain
from typing import NamedTuple

from captive_portal.gate.errors import KernelRefused
from captive_portal.gate.kernel.packet_filter import PacketFilter
from captive_portal.gate.kernel.reconcile import (
    GARDEN_SETS,
    OWN_SETS,
    SESSION_SETS,
    TOLERANCE,
    Element,
    ElementName,
    ElementReading,
    KernelSession,
    Plan,
    element_key,
    kernel_session,
    plan,
    same,
    session_element,
    session_elements,
    switch_elements,
)
from captive_portal.gate.kernel.ruleset import table
from captive_portal.gate.policy.accounting import COUNTED_SETS, grown
from captive_portal.gate.policy.changes import Changes
from captive_portal.gate.policy.session import Session
from captive_portal.gate.policy.session_policy import SessionPolicy
from captive_portal.settings import WifiSettings
from device.clock import Clock


class ElementDrift(NamedTuple):
    """An element that is not as it should be. present, wanted: None when it should not, or does not, stand there."""

    name: ElementName
    present: Element | None
    wanted: Element | None
    session: str = ""


class ElementReconciler:
    """One kernel's elements. Memory: one KernelSession a session, and while it looks the keys of one set."""

    def __init__(self, settings: WifiSettings, kernel: PacketFilter, clock: Clock) -> None:
        self._spots = {spot.name: spot for spot in settings.spots}
        self._interfaces = [spot.interface for spot in settings.spots]
        self._kernel = kernel
        self._clock = clock
        self._sessions: dict[str, KernelSession] = {}
        self._switches: dict[ElementName, Element] = {}
        self._disaster_ends = 0.0
        self._gardens = GARDEN_SETS if any(spot.garden for spot in settings.spots) else ()
        self._walled_garden_expiry: dict[ElementName, float] = {}
        self.table = table(settings)

    # -- what changed in the policy --

    def apply(self, policy: SessionPolicy, changes: Changes) -> None:
        """One transaction for all that changed. Raises KernelRefused; then nothing of it was done."""
        now = self._clock.monotonic()
        touched = (*changes.updated, *changes.ended)
        fresh = {key: self._kernel_session(policy.sessions[key]) for key in changes.updated}
        before = _elements((self._sessions[key] for key in touched if key in self._sessions), now)
        after = _elements(fresh.values(), now)
        if changes.blocked_phones or changes.disaster:
            before |= self._switches
            after |= self._desired_switches(policy, now)
        todo = plan(after, before)
        if todo:
            self._kernel.apply(todo)
        self._forget_marks(touched, fresh)
        for key in changes.ended:
            self._sessions.pop(key, None)
        self._sessions |= fresh
        self._switches = self._desired_switches(policy, now)
        _reset_counters(policy, fresh, {name for name, _ in todo.add})

    def install(self, policy: SessionPolicy) -> None:
        """The whole table anew, with every session in it, in one transaction. Raises KernelRefused."""
        self.assume_applied(policy)
        now = self._clock.monotonic()
        elements = (session_elements(each, now).items() for each in self._sessions.values())
        garden = [(name, Element(0, ends - now)) for name, ends in self._walled_garden_expiry.items() if ends > now]
        self._kernel.install(self.table, chain(self._switches.items(), garden, chain.from_iterable(elements)))
        for session in policy.sessions.values():
            session.seen.clear()

    def assume_applied(self, policy: SessionPolicy) -> None:
        """Take for granted that the kernel is as the policy wants it; ``look`` tells whether it is."""
        self._sessions = {key: self._kernel_session(session) for key, session in policy.sessions.items()}
        self._switches = self._desired_switches(policy, self._clock.monotonic())

    # -- what stands in the kernel --

    def find_drift(self, policy: SessionPolicy) -> list[ElementDrift]:
        """Read every element of ours: bytes are counted on the way, what is not as carried out is told. What dnsmasq
        put into the walled garden is remembered for ``install``. Raises KernelRefused.
        """
        now = self._clock.monotonic()
        garden = [found for kind in self._gardens for found in self._kernel.readings(kind)]
        self._walled_garden_expiry = {name: now + (reading.element.seconds or 0.0) for name, reading in garden}
        return [wrong for kind in OWN_SETS for wrong in self._drift_of_set(policy, kind)]

    def repair(self, policy: SessionPolicy, found: Collection[ElementDrift]) -> None:
        """Raises KernelRefused."""
        remove = [(w.name, w.present) for w in found if w.present is not None]
        add = [(w.name, w.wanted) for w in found if w.wanted is not None]
        self._kernel.apply(Plan(remove, add))
        for wrong in found:
            if wrong.wanted is None and wrong.name.set == "live":
                self._kernel.delete_connections(int(wrong.name.key, 16))
            if wrong.session in policy.sessions:
                policy.sessions[wrong.session].seen.pop(wrong.name.set, None)

    def measure(self, session: Session) -> tuple[int, int]:
        """SessionPolicy's port: the last bytes of one session before its elements change."""
        of = self._sessions.get(session.id)
        up = down = 0
        for kind in COUNTED_SETS if of else ():
            shown = self._bytes_of(kind, of) if of else None
            if shown is not None:
                more_up, more_down = grown(session, kind, shown)
                up, down = up + more_up, down + more_down
        return up, down

    # -- inside --

    def _drift_of_set(self, policy: SessionPolicy, kind: str) -> Iterator[ElementDrift]:
        now = self._clock.monotonic()
        awaited = self._expected_keys(kind)
        for name, reading in self._kernel.readings(kind):
            owner = awaited.pop(name.key, None)
            wanted = None if owner is None else self._desired(name, owner, now)
            if wanted is None or not same(wanted, reading.element):
                yield ElementDrift(name, reading.element, wanted, owner or "")
            if owner and kind in COUNTED_SETS and owner in policy.sessions:
                _count(policy, policy.sessions[owner], kind, reading)
        yield from self._missing(kind, awaited, now)

    def _missing(self, kind: str, awaited: Mapping[str, str], now: float) -> Iterator[ElementDrift]:
        """A dump can pass an element by while the set grows, so each that seems to be missing is asked for."""
        for key, owner in awaited.items():
            name = ElementName(kind, key)
            wanted = self._desired(name, owner, now)
            ending = wanted.seconds is not None and wanted.seconds <= TOLERANCE
            if not ending and self._kernel.read_counter(name) is None:
                yield ElementDrift(name, None, wanted, owner)

    def _expected_keys(self, kind: str) -> dict[str, str]:
        """Key -> session of what should stand in a set; no session ("") in those of the switches."""
        if kind in SESSION_SETS:
            return {key: owner for owner, each in self._sessions.items() if (key := element_key(kind, each))}
        return {name.key: "" for name in self._switches if name.set == kind}

    def _desired(self, name: ElementName, owner: str, now: float) -> Element:
        if owner:
            return session_element(name.set, self._sessions[owner], now)
        element = self._switches[name]
        return element if element.seconds is None else element._replace(seconds=self._disaster_ends - now)

    def _bytes_of(self, kind: str, of: KernelSession) -> int | None:
        key = element_key(kind, of)
        try:
            return self._kernel.read_counter(ElementName(kind, key)) if key else None
        except KernelRefused:
            return None

    def _forget_marks(self, touched: Iterable[str], fresh: Mapping[str, KernelSession]) -> None:
        """Delete the connections of marks that are no longer in use."""
        for key in touched:
            old, new = self._sessions.get(key), fresh.get(key)
            if old is not None and (new is None or new.mark != old.mark):
                self._kernel.delete_connections(old.mark)

    def _kernel_session(self, session: Session) -> KernelSession:
        return kernel_session(session, self._spots[session.spot])

    def _desired_switches(self, policy: SessionPolicy, now: float) -> dict[ElementName, Element]:
        self._disaster_ends = policy.disaster_ends
        left = policy.disaster_ends - now if policy.disaster.on else 0.0
        return switch_elements(policy.blocked_phones, self._interfaces, left)


def _elements(sessions: Iterable[KernelSession], now: float) -> dict[ElementName, Element]:
    return {name: element for each in sessions for name, element in session_elements(each, now).items()}


def _reset_counters(
    policy: SessionPolicy, sessions: Mapping[str, KernelSession], made: Collection[ElementName]
) -> None:
    """Elements that were just made count from nothing."""
    for key, of in sessions.items():
        for kind in COUNTED_SETS:
            if ElementName(kind, element_key(kind, of)) in made:
                policy.sessions[key].seen.pop(kind, None)


def _count(policy: SessionPolicy, session: Session, kind: str, reading: ElementReading) -> None:
    up, down = grown(session, kind, reading.bytes)
    if up or down:
        policy.count(session, up, down)
