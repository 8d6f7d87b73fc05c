"""Keeps the kernel as the book wants it: carries changes out, reads what stands there, counts, puts right.

What stands in the kernel by our own hand is remembered as one ``Pass`` a session, so that a look at the kernel finds
what others did to it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import chain
from typing import NamedTuple

from captive_portal.gate.errors import KernelRefused
from captive_portal.gate.kernel.packet_filter import Kernel
from captive_portal.gate.kernel.reconcile import (
    GARDENS,
    OF_SESSIONS,
    OURS,
    TOLERANCE,
    Element,
    Name,
    Pass,
    Plan,
    Reading,
    element_of,
    elements_of,
    elements_of_switches,
    key_of,
    pass_of,
    plan,
    same,
)
from captive_portal.gate.kernel.ruleset import table
from captive_portal.gate.policy.accounting import COUNTED, grown
from captive_portal.gate.policy.changes import Changes
from captive_portal.gate.policy.session import Session
from captive_portal.gate.policy.session_policy import Book
from captive_portal.settings import WifiSettings
from device.clock import Clock


class Wrong(NamedTuple):
    """An element that is not as it should be. present, wanted: None when it should not, or does not, stand there."""

    name: Name
    present: Element | None
    wanted: Element | None
    session: str = ""


class Keeper:
    """One kernel's elements. Memory: one Pass a session, and while it looks the keys of one set."""

    def __init__(self, settings: WifiSettings, kernel: Kernel, clock: Clock) -> None:
        self._spots = {spot.name: spot for spot in settings.spots}
        self._interfaces = [spot.interface for spot in settings.spots]
        self._kernel = kernel
        self._clock = clock
        self._passes: dict[str, Pass] = {}
        self._switches: dict[Name, Element] = {}
        self._disaster_ends = 0.0
        self._gardens = GARDENS if any(spot.garden for spot in settings.spots) else ()
        self._strollable: dict[Name, float] = {}
        self.table = table(settings)

    # -- what changed in the book --

    def carry_out(self, book: Book, changes: Changes) -> None:
        """One transaction for all that changed. Raises KernelRefused; then nothing of it was done."""
        now = self._clock.monotonic()
        touched = (*changes.live, *changes.over)
        fresh = {key: self._pass(book.sessions[key]) for key in changes.live}
        before = _elements((self._passes[key] for key in touched if key in self._passes), now)
        after = _elements(fresh.values(), now)
        if changes.blocks or changes.disaster:
            before |= self._switches
            after |= self._wanted_switches(book, now)
        todo = plan(after, before)
        if todo:
            self._kernel.carry_out(todo)
        self._forget_marks(touched, fresh)
        for key in changes.over:
            self._passes.pop(key, None)
        self._passes |= fresh
        self._switches = self._wanted_switches(book, now)
        _begin_counting(book, fresh, {name for name, _ in todo.add})

    def install(self, book: Book) -> None:
        """The whole table anew, with every session in it, in one transaction. Raises KernelRefused."""
        self.adopt(book)
        now = self._clock.monotonic()
        elements = (elements_of(each, now).items() for each in self._passes.values())
        garden = [(name, Element(0, ends - now)) for name, ends in self._strollable.items() if ends > now]
        self._kernel.install(self.table, chain(self._switches.items(), garden, chain.from_iterable(elements)))
        for session in book.sessions.values():
            session.seen.clear()

    def adopt(self, book: Book) -> None:
        """Take for granted that the kernel is as the book wants it; ``look`` tells whether it is."""
        self._passes = {key: self._pass(session) for key, session in book.sessions.items()}
        self._switches = self._wanted_switches(book, self._clock.monotonic())

    # -- what stands in the kernel --

    def look(self, book: Book) -> list[Wrong]:
        """Read every element of ours: bytes are counted on the way, what is not as carried out is told. What dnsmasq
        put into the walled garden is remembered for ``install``. Raises KernelRefused.
        """
        now = self._clock.monotonic()
        garden = [found for kind in self._gardens for found in self._kernel.readings(kind)]
        self._strollable = {name: now + (reading.element.seconds or 0.0) for name, reading in garden}
        return [wrong for kind in OURS for wrong in self._look_at(book, kind)]

    def put_right(self, book: Book, found: Collection[Wrong]) -> None:
        """Raises KernelRefused."""
        remove = [(w.name, w.present) for w in found if w.present is not None]
        add = [(w.name, w.wanted) for w in found if w.wanted is not None]
        self._kernel.carry_out(Plan(remove, add))
        for wrong in found:
            if wrong.wanted is None and wrong.name.set == "live":
                self._kernel.forget(int(wrong.name.key, 16))
            if wrong.session in book.sessions:
                book.sessions[wrong.session].seen.pop(wrong.name.set, None)

    def measure(self, session: Session) -> tuple[int, int]:
        """Book's port: the last bytes of one session before its elements change."""
        of = self._passes.get(session.id)
        up = down = 0
        for kind in COUNTED if of else ():
            shown = self._bytes_of(kind, of) if of else None
            if shown is not None:
                more_up, more_down = grown(session, kind, shown)
                up, down = up + more_up, down + more_down
        return up, down

    # -- inside --

    def _look_at(self, book: Book, kind: str) -> Iterator[Wrong]:
        now = self._clock.monotonic()
        awaited = self._awaited(kind)
        for name, reading in self._kernel.readings(kind):
            owner = awaited.pop(name.key, None)
            wanted = None if owner is None else self._wanted(name, owner, now)
            if wanted is None or not same(wanted, reading.element):
                yield Wrong(name, reading.element, wanted, owner or "")
            if owner and kind in COUNTED and owner in book.sessions:
                _count(book, book.sessions[owner], kind, reading)
        yield from self._missing(kind, awaited, now)

    def _missing(self, kind: str, awaited: Mapping[str, str], now: float) -> Iterator[Wrong]:
        """A dump can pass an element by while the set grows, so each that seems to be missing is asked for."""
        for key, owner in awaited.items():
            name = Name(kind, key)
            wanted = self._wanted(name, owner, now)
            ending = wanted.seconds is not None and wanted.seconds <= TOLERANCE
            if not ending and self._kernel.bytes_of(name) is None:
                yield Wrong(name, None, wanted, owner)

    def _awaited(self, kind: str) -> dict[str, str]:
        """Key -> session of what should stand in a set; no session ("") in those of the switches."""
        if kind in OF_SESSIONS:
            return {key: owner for owner, each in self._passes.items() if (key := key_of(kind, each))}
        return {name.key: "" for name in self._switches if name.set == kind}

    def _wanted(self, name: Name, owner: str, now: float) -> Element:
        if owner:
            return element_of(name.set, self._passes[owner], now)
        element = self._switches[name]
        return element if element.seconds is None else element._replace(seconds=self._disaster_ends - now)

    def _bytes_of(self, kind: str, of: Pass) -> int | None:
        key = key_of(kind, of)
        try:
            return self._kernel.bytes_of(Name(kind, key)) if key else None
        except KernelRefused:
            return None

    def _forget_marks(self, touched: Iterable[str], fresh: Mapping[str, Pass]) -> None:
        """Delete the connections of marks that are no longer in use."""
        for key in touched:
            old, new = self._passes.get(key), fresh.get(key)
            if old is not None and (new is None or new.mark != old.mark):
                self._kernel.forget(old.mark)

    def _pass(self, session: Session) -> Pass:
        return pass_of(session, self._spots[session.spot])

    def _wanted_switches(self, book: Book, now: float) -> dict[Name, Element]:
        self._disaster_ends = book.disaster_ends
        left = book.disaster_ends - now if book.disaster.on else 0.0
        return elements_of_switches(book.blocks, self._interfaces, left)


def _elements(passes: Iterable[Pass], now: float) -> dict[Name, Element]:
    return {name: element for each in passes for name, element in elements_of(each, now).items()}


def _begin_counting(book: Book, passes: Mapping[str, Pass], made: Collection[Name]) -> None:
    """Elements that were just made count from nothing."""
    for key, of in passes.items():
        for kind in COUNTED:
            if Name(kind, key_of(kind, of)) in made:
                book.sessions[key].seen.pop(kind, None)


def _count(book: Book, session: Session, kind: str, reading: Reading) -> None:
    up, down = grown(session, kind, reading.bytes)
    if up or down:
        book.count(session, up, down)
