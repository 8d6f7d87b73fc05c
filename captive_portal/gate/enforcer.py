"""Applies the desired state: database first, kernel second, answer last; and repairs the kernel's rules.

One thread owns all of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from captive_portal.gate import protocol as p
from captive_portal.gate.database import Database, Moment
from captive_portal.gate.errors import KernelRefused
from captive_portal.gate.kernel.address_bindings import AddressBindings
from captive_portal.gate.kernel.limit_watch import LimitWatch
from captive_portal.gate.kernel.packet_filter import PacketFilter
from captive_portal.gate.kernel.reconciler import ElementDrift, ElementReconciler
from captive_portal.gate.kernel.source_addresses import SourceAddresses
from captive_portal.gate.policy.disaster_usage import DisasterUsage
from captive_portal.gate.policy.dispatch import dispatch
from captive_portal.gate.policy.identity import DailyPseudonyms, ResumeTokens, connection_seed
from captive_portal.gate.policy.session_policy import ReadAddresses, SessionPolicy, no_addresses
from captive_portal.settings import WifiSettings
from device.audit import AuditSink
from device.clock import Clock
from device.logs import Log

MIN_VERIFY_SECONDS = 1.0
"""Seconds between two checks of the ruleset after another process changed it."""
_HANDLE = re.compile(r" # handle \d+")
"""Numbers that the kernel gives to tables, chains and rules, new at each installation."""
MAX_IDLE_SECONDS = 30.0
"""Seconds until the next ``tick`` when nothing is due."""


class Enforcer:
    """Handles batches of requests and what is due. Committing a batch costs one transaction in the database and one in
    the kernel, however many phones logged in.
    """

    def __init__(
        self,
        settings: WifiSettings,
        *,
        database: Database,
        kernel: PacketFilter,
        bindings: AddressBindings,
        clock: Clock,
        boot: str,
        audit: AuditSink,
        log: Log,
        on_disaster_change: Callable[[p.Disaster], None] = lambda _: None,
        limit_watch: LimitWatch | None = None,
    ) -> None:
        """on_disaster_change: called at the start and at every switch of disaster mode."""
        self._limit_watch = limit_watch
        self._on_disaster_change = on_disaster_change
        self._disaster_usage = DisasterUsage(clock)
        self._was_disaster = False
        self._settings = settings
        self._interfaces = {spot.name: spot.interface for spot in settings.spots}
        self._database = database
        self._kernel = kernel
        self._bindings = bindings
        self._clock = clock
        self._boot = boot
        self._audit = audit
        self._log = log
        self._pseudonyms = DailyPseudonyms(clock, database.salt())
        seed = connection_seed(database.token_key())
        self._reconciler = ElementReconciler(settings, kernel, clock, seed, bindings.elements)
        self.policy = SessionPolicy(
            settings,
            clock,
            self._pseudonyms,
            ResumeTokens(database.token_key()),
            self._reconciler.read_counters,
            read_addresses=self._source_addresses(),
        )
        self._structure = self._last_listed = ""
        self._read_counters_at = self._checkpoint_at = self._verify_at = 0.0
        self._verify_wanted = self._wal_has_ended_sessions = False
        self._repairs = 0
        self._problem = ""

    def _source_addresses(self) -> ReadAddresses:
        """None are read where none are logged, or there is no IPv6."""
        wanted = self._settings.log.key and any(spot.ipv6.mode != "off" for spot in self._settings.spots)
        return SourceAddresses(self._kernel, self._clock).of if wanted else no_addresses

    # -- start and stop --

    def start(self) -> None:
        """Load the state and apply it. A table that is as this gate installed it is kept, with its counters."""
        self._database.restore(self.policy, self._moment())
        self._bindings.start()
        if self.policy.disaster_changed() and not self.policy.disaster.on:
            self._audit_disaster_expired()
        self._structure = self._database.structure(self._reconciler.table)
        present = self._kernel.structure()
        kept = bool(present) and present == self._structure
        self._reconcile(reset=not kept)
        if kept:
            self._keep_bindings(self._bindings.reconcile)
            self._disaster_usage.start(self._kernel.read_disaster_usage())
        self._commit()
        self._on_disaster_change(self.policy.disaster)
        self._was_disaster = self.policy.disaster.on
        self._read_counters_at = self._clock.monotonic() + self._settings.gate.sample_seconds
        self._checkpoint_at = self._clock.monotonic() + self._settings.gate.keep_seconds
        self._log.info("gate_started", online=len(self.policy.sessions), kept=kept)

    def stop(self) -> None:
        """Write the last counters; the kernel's rules stay as they are."""
        self._find_drift()
        if self.policy.disaster.on:
            self._record_disaster_usage()
        self._commit()
        self._database.checkpoint(self.policy, self._moment())
        self._database.close()

    # -- requests --

    def handle(self, requests: Sequence[p.Request]) -> list[p.Answer]:
        """Answer a batch, in order, once its changes are on the disk and in the kernel. As long as the kernel does not
        have them, nobody is told that a phone is online or shut out.
        """
        answers = [self._answer(request) for request in requests]
        if not self._commit():
            busy = p.Refused(refused=p.RefusalReason.GATE_BUSY)
            answers = [busy if isinstance(given, p.Opened) else given for given in answers]
        if self._problem:
            answers = [_not_applied(request, given) for request, given in zip(requests, answers, strict=True)]
        return answers

    def _answer(self, request: p.Request) -> p.Answer:
        if isinstance(request, p.GetHealth):
            return self._health()
        if isinstance(request, p.DrainUsage):
            return p.UsageBatch(usage=self._database.drain_usage(request.acknowledged, request.limit))
        ip = getattr(request, "ip", "")
        observed = self._bindings.find(ip, getattr(request, "port", 0)) if ip else None
        given = dispatch(self.policy, request, observed)
        self._audit_request(request, given)
        return given

    def _health(self) -> p.Health:
        ready = bool(self._structure) and not self._problem
        return p.Health(
            ready=ready,
            online=len(self.policy.sessions),
            repairs=self._repairs,
            last_problem=self._problem,
            pools=self._limit_watch.pools if self._limit_watch else [],
            limits=self._limit_watch.limits() if self._limit_watch else [],
        )

    def _audit_request(self, request: p.Request, given: p.Answer) -> None:
        match request, given:
            case p.SetDisaster(), p.Disaster():
                until = given.until.isoformat() if given.until else ""
                self._audit.record(
                    "disaster_switched", on=given.on, reason=given.reason, until=until, by=request.by, drill=given.drill
                )
            case ((p.Block() | p.Unblock()), p.Done()):
                self._audit.record("wifi_blocks_changed", action=type(request).__name__.lower(), count=given.count)

    # -- time --

    def schedule_verify(self) -> None:
        """Another process changed the ruleset: check it soon."""
        self._verify_wanted = True

    def next_due_at(self) -> float:
        """Monotonic seconds at which ``tick`` is due."""
        times = [self._clock.monotonic() + MAX_IDLE_SECONDS, self.policy.next_due(), self._bindings.next_due_at()]
        if self._busy():
            times += [self._read_counters_at, self._checkpoint_at]
        elif self._wal_has_ended_sessions:
            times.append(self._checkpoint_at)
        if self._limit_watch:
            times.append(self._limit_watch.due_at)
        if self._verify_wanted or self._problem:
            times.append(self._verify_at)
        return min(times)

    def tick(self) -> None:
        """End what is due, verify the ruleset, read counters, write a checkpoint."""
        now = self._clock.monotonic()
        was_disaster = self.policy.disaster.on
        if self.policy.end_due():
            self._commit()
        if was_disaster and not self.policy.disaster.on:
            self._audit_disaster_expired()
        if self._was_disaster and not self.policy.disaster.on:
            self._record_disaster_usage()
        self._was_disaster = self.policy.disaster.on
        self._keep_bindings(self._bindings.follow)
        if (self._verify_wanted or self._problem) and now >= self._verify_at:
            self._verify()
        if self._limit_watch and now >= self._limit_watch.due_at:
            self._limit_watch.check()
        if self._busy() and now >= self._read_counters_at:
            self._read_counters()
        if self._busy() and now >= self._checkpoint_at:
            self._checkpoint()
        elif not self._busy() and now >= self._checkpoint_at:
            self._truncate_wal()  # the last session ended: its MAC must not stay in the log until the next one begins

    def _busy(self) -> bool:
        """Whether there are counters to read."""
        return bool(self.policy.sessions) or self.policy.disaster.on

    def _audit_disaster_expired(self) -> None:
        self._audit.record("disaster_switched", on=False, reason="until", until="", by="", drill=False)

    def _read_counters(self) -> None:
        """Read all counters and repair what the dump shows as drift. The slower the dump, the longer until the next."""
        began = self._clock.monotonic()
        found = self._find_drift()
        if found is None:
            self._verify_wanted = True
        else:
            self._repair(found)  # before the commit: a session that the counted bytes end must not be added again
            if self.policy.disaster.on:
                self._disaster_usage.observe(self._kernel.read_disaster_usage())
            if self._disaster_usage.has_new_phones():
                self._record_disaster_usage()  # at once: after a kill, phones in the kernel's set are taken as counted
            self._commit()
        cost = self._clock.monotonic() - began
        self._read_counters_at = self._clock.monotonic() + max(self._settings.gate.sample_seconds, 50 * cost)

    def _record_disaster_usage(self) -> None:
        """Events of the open Wi-Fi's use in disaster mode since the last call."""
        with suppress(KernelRefused):
            self._disaster_usage.observe(self._kernel.read_disaster_usage())
        spots = {interface: spot for spot, interface in self._interfaces.items()}
        for grown in self._disaster_usage.take():
            self.policy.usage_events.record_disaster(
                spots.get(grown.interface, ""), grown.phones, grown.bytes_up, grown.bytes_down
            )
        self._commit()

    def _checkpoint(self) -> None:
        self.policy.record_growth()
        self.policy.note_addresses()
        if self.policy.disaster.on:
            self._record_disaster_usage()
        self._commit()
        self._database.checkpoint(self.policy, self._moment())
        self._truncate_wal()
        self._checkpoint_at = self._clock.monotonic() + self._settings.gate.keep_seconds

    def _truncate_wal(self) -> None:
        if self._wal_has_ended_sessions:
            self._database.truncate_wal()
            self._wal_has_ended_sessions = False

    def follow_uplinks(self, uplinks: Mapping[str, Sequence[str]]) -> None:
        """uplinks: the networks of each, as they are now. Closed to phones from the return on; before ``start`` they
        are noted.
        """
        if self._reconciler.follow_uplinks(uplinks) and self._structure:
            self._find_drift()  # counts the bytes so far
            self._commit()
            self._log.info("uplink_networks_changed", count=sum(map(len, uplinks.values())))
            self._reconcile(reset=True)

    def _verify(self) -> None:
        """Compare the kernel's table with the one installed; install it again when it differs."""
        self._verify_wanted = False
        self._verify_at = self._clock.monotonic() + MIN_VERIFY_SECONDS
        present = self._kernel.structure()
        found = self._find_drift() if present else None
        if present != self._structure or found is None:
            self._repairs += 1
            self._log.warning("ruleset_repaired", missing=not present)
            self._reconcile(reset=True)
        else:
            self._problem = ""
            self._repair(found)
            self._keep_bindings(self._bindings.reconcile)
            self._commit()

    def _repair(self, found: list[ElementDrift]) -> None:
        if not found:
            return
        self._repairs += 1
        missing = sum(drift.present is None for drift in found)
        self._log.warning("elements_repaired", missing=missing, foreign=len(found) - missing)
        try:
            self._reconciler.repair(self.policy, found)
        except KernelRefused as error:
            self._record_failure(error)

    def _keep_bindings(self, what: Callable[[], int | None]) -> None:
        """Follow or repair the address bindings; what the kernel refuses now is tried again with the next check."""
        try:
            repaired = what()
        except KernelRefused as error:
            self._verify_wanted = True
            self._log.warning("kernel_refused", what=error.facts.get("what"), reason=error.facts.get("reason"))
            return
        if repaired:
            self._repairs += 1
            self._log.warning("addresses_repaired", count=repaired)

    def _find_drift(self) -> list[ElementDrift] | None:
        """Elements that differ from what was applied, bytes counted; None when they cannot be read."""
        try:
            return self._reconciler.find_drift(self.policy)
        except KernelRefused:
            return None

    # -- applying --

    def _commit(self) -> bool:
        """Write and apply the policy's changes; False when the kernel refused them."""
        changes = self.policy.take_changes()
        if not changes:
            return True
        self._database.write(changes, self.policy, self._pseudonyms.salt, self._moment())
        self._wal_has_ended_sessions |= bool(changes.ended)
        if changes.disaster:
            self._on_disaster_change(self.policy.disaster)
        try:
            self._reconciler.apply(self.policy, changes)
        except KernelRefused as error:
            self._log.warning("kernel_refused", what=error.facts.get("what"), reason=error.facts.get("reason"))
            return self._reconcile(reset=self._kernel.structure() != self._structure)
        return True

    def _reconcile(self, *, reset: bool) -> bool:
        """Bring the kernel's sets, or with ``reset`` the whole table, to the desired state; False when that failed."""
        try:
            if reset:
                self._reconciler.install(self.policy)
                self._structure = self._installed_structure()
                self._bindings.restore()
            else:
                self._reconciler.assume_applied(self.policy)
                self._reconciler.repair(self.policy, self._reconciler.find_drift(self.policy))
        except KernelRefused as error:
            self._record_failure(error)
            return False
        self._problem = ""
        return True

    def _installed_structure(self) -> str:
        """What the kernel lists after an installation. "" when that is not what it listed after the one before, of the
        same table: another program changed it in between, so it is installed again at the next check.
        """
        listed = self._kernel.structure()
        without_handles = _HANDLE.sub("", listed)
        known = self._database.structure(self._reconciler.table)
        expected = {_HANDLE.sub("", known) if known else without_handles, self._last_listed}
        self._last_listed = without_handles
        if without_handles not in expected:
            self._verify_wanted = True
            return ""
        self._database.save_structure(self._reconciler.table, listed)
        return listed

    def _record_failure(self, error: KernelRefused) -> None:
        self._problem = str(error.facts.get("reason", "kernel"))
        self._verify_at = self._clock.monotonic() + MIN_VERIFY_SECONDS
        self._log.error("kernel_refused", what=error.facts.get("what"), reason=self._problem)

    def _moment(self) -> Moment:
        return Moment(self._boot, self._clock.monotonic(), self._clock.now())


def _not_applied(request: p.Request, given: p.Answer) -> p.Answer:
    """Nobody is told that a phone is shut out while the kernel does not take changes; they are tried again every
    MIN_VERIFY_SECONDS.
    """
    if isinstance(request, p.End | p.Block) and isinstance(given, p.Done):
        return p.Fault(code="kernel_refused")
    return given
