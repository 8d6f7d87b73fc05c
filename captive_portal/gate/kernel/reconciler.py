"""Keeps the kernel's elements equal to the desired state: applies changes, reads elements, counts bytes, repairs drift.

What was applied is remembered as one ``KernelSession`` a session, and the kernel is compared with that: a difference
was made by another process.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import NamedTuple

from captive_portal.gate.errors import KernelRefused
from captive_portal.gate.kernel.packet_filter import PacketFilter
from captive_portal.gate.kernel.reconcile import (
    GARDEN_SETS,
    OWN_SETS,
    SESSION_SETS,
    TIMEOUT_TOLERANCE,
    Element,
    ElementName,
    ElementReading,
    KernelSession,
    Plan,
    element_key,
    kernel_session,
    matches,
    plan,
    session_element,
    session_elements,
    switch_elements,
)
from captive_portal.gate.kernel.ruleset import table
from captive_portal.gate.policy.accounting import COUNTED_SETS, bytes_since_last_read
from captive_portal.gate.policy.changes import Changes
from captive_portal.gate.policy.session import Session
from captive_portal.gate.policy.session_policy import SessionPolicy
from captive_portal.settings import WifiSettings
from device.clock import Clock


class ElementDrift(NamedTuple):
    """An element that differs from what was applied. present: as the kernel has it, None when it is missing; wanted: as
    applied, None when it is foreign.
    """

    name: ElementName
    present: Element | None
    wanted: Element | None
    session: str = ""


def no_elements() -> Iterable[tuple[ElementName, Element]]:
    """For a kernel without address bindings."""
    return ()


class ElementReconciler:
    """Applies changes to one packet filter and finds drift. Memory: one KernelSession a session, and while it reads the
    keys of one set.
    """

    def __init__(
        self,
        settings: WifiSettings,
        kernel: PacketFilter,
        clock: Clock,
        seed: int = 0,
        bindings: Callable[[], Iterable[tuple[ElementName, Element]]] = no_elements,
    ) -> None:
        """seed: of connection_marks; bindings: the elements of AddressBindings, for a new table."""
        self._seed, self._bindings = seed, bindings
        self._spots = {spot.name: spot for spot in settings.spots}
        self._interfaces = [spot.interface for spot in settings.spots]
        self._kernel = kernel
        self._clock = clock
        self._sessions: dict[str, KernelSession] = {}
        self._switches: dict[ElementName, Element] = {}
        self._disaster_ends = 0.0
        self._gardens = GARDEN_SETS if any(spot.garden for spot in settings.spots) else ()
        self._walled_garden_expiry: dict[ElementName, float] = {}
        self._settings = settings
        self.table = table(settings, seed=seed)

    def follow_uplinks(self, uplinks: Mapping[str, Sequence[str]]) -> bool:
        """The networks of the uplinks as they are now; True when the table has changed and is to be installed."""
        before, self.table = self.table, table(self._settings, uplinks, self._seed)
        return self.table != before

    # -- desired state to kernel --

    def apply(self, policy: SessionPolicy, changes: Changes) -> None:
        """Apply all changes in one transaction. Raises KernelRefused; then nothing was applied."""
        now = self._clock.monotonic()
        touched = (*changes.updated, *changes.ended)
        new_sessions = {key: self._kernel_session(policy.sessions[key]) for key in changes.updated}
        before = _elements((self._sessions[key] for key in touched if key in self._sessions), now)
        after = _elements(new_sessions.values(), now)
        if changes.blocked_phones or changes.disaster:
            before |= self._switches
            after |= self._desired_switches(policy, now)
        todo = plan(after, before)
        if todo:
            self._kernel.apply(todo)
        self._delete_unused_connections(touched, new_sessions)
        for key in changes.ended:
            self._sessions.pop(key, None)
        self._sessions |= new_sessions
        self._switches = self._desired_switches(policy, now)
        _reset_counters(policy, new_sessions, {name for name, _ in todo.add})

    def install(self, policy: SessionPolicy) -> None:
        """Replace the whole table, with the elements of every session, in one transaction. Raises KernelRefused."""
        self.assume_applied(policy)
        now = self._clock.monotonic()
        elements = (session_elements(each, now).items() for each in self._sessions.values())
        garden = [(name, Element(0, ends - now)) for name, ends in self._walled_garden_expiry.items() if ends > now]
        own = chain(self._switches.items(), garden, self._bindings())
        self._kernel.install(self.table, chain(own, chain.from_iterable(elements)))
        for session in policy.sessions.values():
            session.seen.clear()

    def assume_applied(self, policy: SessionPolicy) -> None:
        """Take the desired state as applied; ``find_drift`` then reports every difference of the kernel."""
        self._sessions = {key: self._kernel_session(session) for key, session in policy.sessions.items()}
        self._switches = self._desired_switches(policy, self._clock.monotonic())

    # -- kernel to desired state --

    def find_drift(self, policy: SessionPolicy) -> list[ElementDrift]:
        """Read all elements of OWN_SETS: count their bytes and return those that differ from what was applied. Expiry
        times of dnsmasq's walled garden entries are kept for ``install``. Raises KernelRefused.
        """
        now = self._clock.monotonic()
        garden = [found for kind in self._gardens for found in self._kernel.readings(kind)]
        self._walled_garden_expiry = {name: now + (reading.element.seconds or 0.0) for name, reading in garden}
        return [drift for kind in OWN_SETS for drift in self._drift_of_set(policy, kind)]

    def repair(self, policy: SessionPolicy, found: Collection[ElementDrift]) -> None:
        """Make the elements in ``found`` as applied. Raises KernelRefused."""
        remove = [(drift.name, drift.present) for drift in found if drift.present is not None]
        add = [(drift.name, drift.wanted) for drift in found if drift.wanted is not None]
        self._kernel.apply(Plan(remove, add))
        for drift in found:
            if drift.wanted is None and drift.name.set == "live":
                self._kernel.delete_connections(int(drift.name.key, 16))
            if drift.session in policy.sessions:
                policy.sessions[drift.session].seen.pop(drift.name.set, None)

    def read_counters(self, session: Session) -> tuple[int, int]:
        """SessionPolicy's port: the last bytes of one session before its elements change."""
        applied = self._sessions.get(session.id)
        up = down = 0
        for kind in COUNTED_SETS if applied else ():
            counter = self._read_counter(kind, applied) if applied else None
            if counter is not None:
                more_up, more_down = bytes_since_last_read(session, kind, counter)
                up, down = up + more_up, down + more_down
        return up, down

    # -- inside --

    def _drift_of_set(self, policy: SessionPolicy, kind: str) -> Iterator[ElementDrift]:
        now = self._clock.monotonic()
        expected = self._expected_keys(kind)
        for name, reading in self._kernel.readings(kind):
            session_id = expected.pop(name.key, None)
            wanted = None if session_id is None else self._desired(name, session_id, now)
            if wanted is None or not matches(wanted, reading.element):
                yield ElementDrift(name, reading.element, wanted, session_id or "")
            if session_id and kind in COUNTED_SETS and session_id in policy.sessions:
                _count(policy, policy.sessions[session_id], kind, reading)
        yield from self._missing(kind, expected, now)

    def _missing(self, kind: str, expected: Mapping[str, str], now: float) -> Iterator[ElementDrift]:
        """A dump can skip an element while the set is resized, so each missing one is read singly."""
        for key, session_id in expected.items():
            name = ElementName(kind, key)
            wanted = self._desired(name, session_id, now)
            ending = wanted.seconds is not None and wanted.seconds <= TIMEOUT_TOLERANCE
            if not ending and self._kernel.read_counter(name) is None:
                yield ElementDrift(name, None, wanted, session_id)

    def _expected_keys(self, kind: str) -> dict[str, str]:
        """Key -> session id of the elements expected in a set; "" for elements of no session."""
        if kind in SESSION_SETS:
            return {key: session_id for session_id, each in self._sessions.items() if (key := element_key(kind, each))}
        return {name.key: "" for name in self._switches if name.set == kind}

    def _desired(self, name: ElementName, session_id: str, now: float) -> Element:
        if session_id:
            return session_element(name.set, self._sessions[session_id], now)
        element = self._switches[name]
        return element if element.seconds is None else element._replace(seconds=self._disaster_ends - now)

    def _read_counter(self, kind: str, session: KernelSession) -> int | None:
        key = element_key(kind, session)
        try:
            return self._kernel.read_counter(ElementName(kind, key)) if key else None
        except KernelRefused:
            return None

    def _delete_unused_connections(self, touched: Iterable[str], new_sessions: Mapping[str, KernelSession]) -> None:
        """Delete the tracked connections of marks that are no longer in use."""
        for key in touched:
            old, new = self._sessions.get(key), new_sessions.get(key)
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
    policy: SessionPolicy, sessions: Mapping[str, KernelSession], added: Collection[ElementName]
) -> None:
    """Elements that were just added count from 0."""
    for key, applied in sessions.items():
        for kind in COUNTED_SETS:
            if ElementName(kind, element_key(kind, applied)) in added:
                policy.sessions[key].seen.pop(kind, None)


def _count(policy: SessionPolicy, session: Session, kind: str, reading: ElementReading) -> None:
    up, down = bytes_since_last_read(session, kind, reading.bytes)
    if up or down:
        policy.add_bytes(session, up, down)
