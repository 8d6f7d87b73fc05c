"""Carries the desired state out: database first, kernel second, answer last; and keeps the kernel as it should be.

One thread owns all of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress

from captive_portal.gate import protocol as p
from captive_portal.gate.database import Database, Moment
from captive_portal.gate.errors import KernelRefused
from captive_portal.gate.kernel.neighbours import Neighbours
from captive_portal.gate.kernel.packet_filter import Kernel
from captive_portal.gate.kernel.reconciler import Keeper, Wrong
from captive_portal.gate.policy.disaster_usage import Crowd
from captive_portal.gate.policy.dispatch import answer
from captive_portal.gate.policy.identity import Handles, Tokens
from captive_portal.gate.policy.session_policy import Book
from captive_portal.settings import WifiSettings
from device.audit import AuditSink
from device.clock import Clock
from device.logs import Log

VERIFY_APART = 1.0
"""Seconds between two looks at the ruleset after somebody else changed it."""
QUIET = 30.0
"""Seconds until the next look when nothing is expected."""


class Enforcer:
    """Answers batches of requests and does what time asks for. Settling a batch costs one transaction in the database
    and one in the kernel, however many phones logged in.
    """

    def __init__(
        self,
        settings: WifiSettings,
        *,
        database: Database,
        kernel: Kernel,
        neighbours: Neighbours,
        clock: Clock,
        boot: str,
        audit: AuditSink,
        log: Log,
        announce: Callable[[p.Disaster], None] = lambda _: None,
    ) -> None:
        """announce: told of disaster mode at the start and at every switch."""
        self._announce = announce
        self._crowd = Crowd(clock)
        self._open_to_all = False
        self._settings = settings
        self._interfaces = {spot.name: spot.interface for spot in settings.spots}
        self._database = database
        self._kernel = kernel
        self._neighbours = neighbours
        self._clock = clock
        self._boot = boot
        self._audit = audit
        self._log = log
        self._handles = Handles(clock, database.salt())
        self._keeper = Keeper(settings, kernel, clock)
        self.book = Book(settings, clock, self._handles, Tokens(database.token_key()), self._keeper.measure)
        self._structure = ""
        self._sample_at = self._keep_at = self._verify_at = 0.0
        self._suspicious = self._unswept = False
        self._heals = 0
        self._problem = ""

    # -- life --

    def start(self) -> None:
        """Remember, then make the kernel so. A table that stands as we left it is kept, with its counters."""
        self._database.fill(self.book, self._moment())
        if self.book.changed_disaster() and not self.book.disaster.on:
            self._note_own_end()
        self._structure = self._database.structure(self._keeper.table)
        present = self._kernel.structure()
        kept = bool(present) and present == self._structure
        self._reconcile(reset=not kept)
        if kept:
            self._crowd.begin(self._kernel.crowd())
        self._settle()
        self._announce(self.book.disaster)
        self._open_to_all = self.book.disaster.on
        self._sample_at = self._clock.monotonic() + self._settings.gate.sample_seconds
        self._keep_at = self._clock.monotonic() + self._settings.gate.keep_seconds
        self._log.info("gate_started", online=len(self.book.sessions), kept=kept)

    def stop(self) -> None:
        """Write down the last counters; the kernel's rules stay as they are."""
        self._look()
        if self.book.disaster.on:
            self._tell_crowd()
        self._settle()
        self._database.keep(self.book, self._moment())
        self._database.close()

    # -- requests --

    def answer(self, requests: Sequence[p.Request]) -> list[p.Answer]:
        """Answer a batch, in order, after what they ask for is on the disk and in the kernel."""
        answers = [self._answer(request) for request in requests]
        if self._settle():
            return answers
        busy = p.Refused(refused=p.RefusalReason.GATE_BUSY)
        return [busy if isinstance(given, p.Opened) else given for given in answers]

    def _answer(self, request: p.Request) -> p.Answer:
        if isinstance(request, p.GetHealth):
            return self._health()
        if isinstance(request, p.DrainUsage):
            return p.UsageBatch(usage=self._database.drain(request.acknowledged, request.limit))
        ip = getattr(request, "ip", "")
        given = answer(self.book, request, self._neighbours.find(ip) if ip else None)
        self._note(request, given)
        return given

    def _health(self) -> p.Health:
        ready = bool(self._structure) and not self._problem
        return p.Health(ready=ready, online=len(self.book.sessions), heals=self._heals, last_problem=self._problem)

    def _note(self, request: p.Request, given: p.Answer) -> None:
        match request, given:
            case p.SetDisaster(), p.Disaster():
                until = given.until.isoformat() if given.until else ""
                self._audit.record(
                    "disaster_switched", on=given.on, reason=given.reason, until=until, by=request.by, drill=given.drill
                )
            case ((p.Block() | p.Unblock()), p.Done()):
                self._audit.record("wifi_blocks_changed", action=type(request).__name__.lower(), count=given.count)

    # -- time --

    def suspect(self) -> None:
        """Somebody else changed the ruleset: look soon."""
        self._suspicious = True

    def next_work(self) -> float:
        """Monotonic seconds at which ``tick`` has something to do."""
        times = [self._clock.monotonic() + QUIET, self.book.next_due()]
        if self._busy():
            times += [self._sample_at, self._keep_at]
        elif self._unswept:
            times.append(self._keep_at)
        if self._suspicious or self._problem:
            times.append(self._verify_at)
        return min(times)

    def tick(self) -> None:
        """End what is over, read counters, look after the kernel, write down."""
        now = self._clock.monotonic()
        was_disaster = self.book.disaster.on
        if self.book.due():
            self._settle()
        if was_disaster and not self.book.disaster.on:
            self._note_own_end()
        if self._open_to_all and not self.book.disaster.on:
            self._tell_crowd()
        self._open_to_all = self.book.disaster.on
        if (self._suspicious or self._problem) and now >= self._verify_at:
            self._verify()
        if self._busy() and now >= self._sample_at:
            self._sample()
        if self._busy() and now >= self._keep_at:
            self._keep()
        elif not self._busy() and now >= self._keep_at:
            self._sweep()  # the last phone has gone: its MAC must not stay in the log until the next one comes

    def _busy(self) -> bool:
        """Is there anything to count?"""
        return bool(self.book.sessions) or self.book.disaster.on

    def _note_own_end(self) -> None:
        self._audit.record("disaster_switched", on=False, reason="until", until="", by="", drill=False)

    def _sample(self) -> None:
        """Read all counters; what the dump shows wrong is put right on the way. Seldom when a dump is dear."""
        began = self._clock.monotonic()
        found = self._look()
        if found is None:
            self._suspicious = True
        else:
            self._heal(found)  # before what was counted is settled: a session that ends by it must not come back
            if self.book.disaster.on:
                self._crowd.note(self._kernel.crowd())
            if self._crowd.has_new_phones():
                self._tell_crowd()  # at once: a killed gate takes phones that the kernel shows for told ones
            self._settle()
        cost = self._clock.monotonic() - began
        self._sample_at = self._clock.monotonic() + max(self._settings.gate.sample_seconds, 50 * cost)

    def _tell_crowd(self) -> None:
        """What the open Wi-Fi of a disaster carried since last told."""
        with suppress(KernelRefused):
            self._crowd.note(self._kernel.crowd())
        spots = {interface: spot for spot, interface in self._interfaces.items()}
        for grown in self._crowd.take():
            self.book.teller.tell_disaster(
                spots.get(grown.interface, ""), grown.phones, grown.bytes_up, grown.bytes_down
            )
        self._settle()

    def _keep(self) -> None:
        self.book.tell_used()
        if self.book.disaster.on:
            self._tell_crowd()
        self._settle()
        self._database.keep(self.book, self._moment())
        self._sweep()
        self._keep_at = self._clock.monotonic() + self._settings.gate.keep_seconds

    def _sweep(self) -> None:
        if self._unswept:
            self._database.sweep()
            self._unswept = False

    def _verify(self) -> None:
        """Compare the kernel's table with ours; put it back when it differs."""
        self._suspicious = False
        self._verify_at = self._clock.monotonic() + VERIFY_APART
        present = self._kernel.structure()
        found = self._look() if present else None
        if present != self._structure or found is None:
            self._heals += 1
            self._log.warning("ruleset_healed", gone=not present)
            self._reconcile(reset=True)
        else:
            self._problem = ""
            self._heal(found)
            self._settle()

    def _heal(self, found: list[Wrong]) -> None:
        if not found:
            return
        self._heals += 1
        lost = sum(wrong.present is None for wrong in found)
        self._log.warning("elements_healed", lost=lost, strange=len(found) - lost)
        try:
            self._keeper.put_right(self.book, found)
        except KernelRefused as error:
            self._trouble(error)

    def _look(self) -> list[Wrong] | None:
        """What the kernel has otherwise than we left it, bytes counted; None when it cannot be read."""
        try:
            return self._keeper.look(self.book)
        except KernelRefused:
            return None

    # -- carrying out --

    def _settle(self) -> bool:
        """Write and carry out what changed in the book; False when the kernel did not take it."""
        changes = self.book.take_changes()
        if not changes:
            return True
        self._database.write(changes, self.book, self._handles.salt, self._moment())
        self._unswept |= bool(changes.over)
        if changes.disaster:
            self._announce(self.book.disaster)
        try:
            self._keeper.carry_out(self.book, changes)
        except KernelRefused as error:
            self._log.warning("kernel_refused", what=error.facts.get("what"), reason=error.facts.get("reason"))
            return self._reconcile(reset=self._kernel.structure() != self._structure)
        return True

    def _reconcile(self, *, reset: bool) -> bool:
        """Make the kernel's sets, or with ``reset`` the whole table, as desired; False when it did not work."""
        try:
            if reset:
                self._keeper.install(self.book)
                self._structure = self._kernel.structure()
                self._database.keep_structure(self._keeper.table, self._structure)
            else:
                self._keeper.adopt(self.book)
                self._keeper.put_right(self.book, self._keeper.look(self.book))
        except KernelRefused as error:
            self._trouble(error)
            return False
        self._problem = ""
        return True

    def _trouble(self, error: KernelRefused) -> None:
        self._problem = str(error.facts.get("reason", "kernel"))
        self._verify_at = self._clock.monotonic() + VERIFY_APART
        self._log.error("kernel_refused", what=error.facts.get("what"), reason=self._problem)

    def _moment(self) -> Moment:
        return Moment(self._boot, self._clock.monotonic(), self._clock.now())
