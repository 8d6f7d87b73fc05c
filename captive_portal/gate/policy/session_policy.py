"""The desired state: which phones may pass, until when, and why others may not. In memory, without I/O.

Every request is answered here at once; ``take_changes`` gives what changed since it was last called, to be written to
the database first and applied to the kernel second.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from captive_portal.gate import protocol as p
from captive_portal.gate.connection_log.entry import ConnectionLogEntry
from captive_portal.gate.policy.blocked_phones import BlockedPhones
from captive_portal.gate.policy.changes import Changes
from captive_portal.gate.policy.identity import DailyPseudonyms, ResumeTokens
from captive_portal.gate.policy.session import (
    ObservedPhone,
    Session,
    granted_seconds,
    seconds_left_today,
    seconds_until_closing,
)
from captive_portal.gate.policy.session_index import SessionIndex
from captive_portal.gate.policy.session_views import phone_view, staff_view
from captive_portal.gate.policy.usage_events import UsageEventQueue
from captive_portal.settings import LOGIN_METHODS, SpotSettings, WifiSettings
from device.clock import JST, Clock

MAX_DISASTER = timedelta(days=30)
END_EARLY_SECONDS = 0.4
"""Seconds by which the gate ends a session before the kernel's own time-out, to read its last counters."""

NOT_EXTENDABLE = frozenset[str](name for name, facts in LOGIN_METHODS.items() if not facts.extendable)

ReadCounters = Callable[[Session], tuple[int, int]]
"""Bytes (up, down) of a session since the last call; called before its elements in the kernel change."""


def no_counters(session: Session) -> tuple[int, int]:  # noqa: ARG001 - a ReadCounters for a policy without a kernel
    """No bytes."""
    return 0, 0


ReadAddresses = Callable[[Session], Iterable[str]]
"""IPv6 addresses that a session sent from lately; called before its elements in the kernel change."""
MAX_ADDRESSES = 256
"""IPv6 addresses in one entry of the connection log; then the next entry begins."""


def no_addresses(session: Session) -> Iterable[str]:  # noqa: ARG001 - a ReadAddresses for a policy without a kernel
    """None."""
    return ()


class SessionPolicy:
    """All sessions, blocked phones, the day's use and the disaster mode of one box."""

    def __init__(
        self,
        settings: WifiSettings,
        clock: Clock,
        pseudonyms: DailyPseudonyms,
        tokens: ResumeTokens,
        read_counters: ReadCounters = no_counters,
        *,
        read_addresses: ReadAddresses = no_addresses,
    ) -> None:
        self._read_addresses = read_addresses
        self._read_counters = read_counters
        self._settings = settings
        self._clock = clock
        self._pseudonyms = pseudonyms
        self._tokens = tokens
        self._spots = {spot.name: spot for spot in settings.spots}
        self._index = SessionIndex()
        self._changes = Changes()
        self.usage_events = UsageEventQueue(clock)
        self.sessions = self._index.sessions
        self.used_seconds: dict[str, float] = {}
        self.blocked_phones = BlockedPhones()
        self.disaster = p.Disaster(on=False)
        self.disaster_ends = 0.0
        self.start_new_day()

    # -- state --

    def restore(self, sessions: Iterable[Session], used: dict[str, float], last_number: int) -> None:
        """Load what the database holds; ``take_changes`` does not report it."""
        for session in sessions:
            self._index.add(session)
        self.used_seconds.update(used)
        self.usage_events.last_number = last_number

    def take_changes(self) -> Changes:
        """What changed since the last call, usage events included."""
        taken, self._changes = self._changes, Changes()
        taken.usage_events = self.usage_events.take()
        return taken

    def disaster_changed(self) -> bool:
        """Was disaster mode switched since ``take_changes``?"""
        return self._changes.disaster

    def start_new_day(self) -> bool:
        """After midnight (JST): a new salt, and the day's use is zero. True when the day changed."""
        if not self._pseudonyms.rotate():
            return False
        self.used_seconds.clear()
        self._changes.day = True
        return True

    # -- requests about a phone --

    def lookup(self, observed: ObservedPhone | None) -> p.Phone:
        """See protocol.Lookup."""
        if observed is None:
            return p.Phone(phone="", spot="", state=p.PhoneState.UNKNOWN, disaster=self.disaster.on, leased=False)
        spot, session = self._spots[observed.spot], self._index.by_mac(observed.mac)
        if session:
            self._update_address(session, observed)
        pseudonym = self._pseudonyms.of(observed.mac)
        left = seconds_left_today(spot, self._used_today(pseudonym))
        return p.Phone(
            phone=pseudonym,
            spot=spot.name,
            state=self._state(observed, session, pseudonym),
            session=phone_view(session, self._clock, self._extension(session, 0)) if session else None,
            minutes_left_today=None if left == float("inf") else max(0, int(left // 60)),
            closed=seconds_until_closing(spot, self._clock.now()) is None,
            disaster=self.disaster.on,
            leased=observed.leased,
        )

    def open(self, observed: ObservedPhone | None, request: p.Open) -> p.Opened | p.Refused:
        """See protocol.Open."""
        if observed is None or not observed.leased:
            return self._refuse(observed, request, p.RefusalReason.NO_LEASE)
        if session := self._index.by_mac(observed.mac):
            self._update_address(session, observed)
            return self._opened(session)
        spot = self._spots[observed.spot]
        reason = self._refusal_reason(spot, observed, request)
        if reason:
            return self._refuse(observed, request, reason)
        pseudonym = self._pseudonyms.of(observed.mac)
        seconds = granted_seconds(
            spot, request.minutes, self._used_today(pseudonym, request.account), self._clock.now()
        )
        if not seconds or seconds <= END_EARLY_SECONDS:
            closed = seconds is None
            return self._refuse(observed, request, p.RefusalReason.CLOSED if closed else p.RefusalReason.MINUTES_USED)
        return self._opened(self._start_session(spot, observed, request, pseudonym, seconds))

    def extend(self, observed: ObservedPhone | None, minutes: int) -> p.Opened | p.Refused:
        """See protocol.Extend."""
        session = self._index.by_mac(observed.mac) if observed else None
        if session is None:
            return p.Refused(refused=p.RefusalReason.NOT_ONLINE)
        seconds = self._extension(session, minutes)
        if seconds <= session.ends - self._clock.monotonic():
            return p.Refused(refused=p.RefusalReason.MINUTES_USED)
        self._add_counters(session)
        session.ends = self._clock.monotonic() + seconds
        self._index.end_changed(session)
        self._changes.updated.add(session.id)
        return self._opened(session)

    def resume(self, observed: ObservedPhone | None, token: str) -> p.Opened | p.Refused:
        """See protocol.Resume."""
        if observed is None or not observed.leased:
            return p.Refused(refused=p.RefusalReason.NO_LEASE)
        if observed.mac in self.blocked_phones:
            return p.Refused(refused=p.RefusalReason.BLOCKED)
        if present := self._index.by_mac(observed.mac):
            return self._opened(present)
        session = self._session_of_token(token)
        if session is None:
            return p.Refused(refused=p.RefusalReason.TOKEN)
        self._add_counters(session)
        self._log_address_change(session)
        self._index.remove(session)
        session.mac, session.ip4, session.spot = observed.mac, observed.ip4, observed.spot
        session.mark, session.moves = self._index.new_mark(), session.moves + 1
        self._index.add(session)
        self._changes.updated.add(session.id)
        return self._opened(session)

    def end(self, observed: ObservedPhone | None, session_id: str, reason: p.EndReason) -> int:
        """See protocol.End."""
        session = (
            self.sessions.get(session_id) if session_id else self._index.by_mac(observed.mac) if observed else None
        )
        if session is None:
            return 0
        self.finish(session, reason)
        return 1

    def note_refused(self, observed: ObservedPhone | None, note: p.NoteRefused) -> None:
        """See protocol.NoteRefused."""
        visitor, spot = (self._pseudonyms.of(observed.mac), observed.spot) if observed else ("", "")
        self.usage_events.record_refused(spot, visitor, note)

    # -- requests of staff --

    def session_details(self, spot: str = "") -> list[p.SessionDetails]:
        """See protocol.ListSessions."""
        return [staff_view(s, self._clock) for s in self.sessions.values() if not spot or s.spot == spot]

    def block(self, observed: ObservedPhone | None, session_id: str, mac: str) -> int:
        """See protocol.Block."""
        session = self.sessions.get(session_id)
        target = mac.lower() or (session.mac if session else observed.mac if observed else "")
        if not target:
            return 0
        online = self._index.by_mac(target)
        here = online.spot if online else observed.spot if observed else ""
        self.blocked_phones.add(target, here, self._clock.now())
        self._changes.blocked_phones = True
        if online:
            self.finish(online, p.EndReason.BLOCKED)
        return 1

    def unblock(self, mac: str, number: str) -> int:
        """See protocol.Unblock."""
        removed = self.blocked_phones.remove(mac.lower(), number)
        self._changes.blocked_phones |= bool(removed)
        return removed

    def set_disaster(self, request: p.SetDisaster) -> p.Disaster:
        """See protocol.SetDisaster. Ends after MAX_DISASTER at the latest."""
        self._changes.disaster = True
        if not request.on:
            self.disaster, self.disaster_ends = p.Disaster(on=False), 0.0
            return self.disaster
        now = self._clock.now()
        until = min(request.until or now + MAX_DISASTER, now + MAX_DISASTER).astimezone(JST)
        self.disaster_ends = self._clock.monotonic() + (until - now).total_seconds()
        self.disaster = p.Disaster(on=until > now, reason=request.reason, until=until, drill=request.drill)
        return self.disaster

    # -- time and bytes --

    def end_due(self) -> bool:
        """End sessions and disaster mode whose time is over. True when there are changes to take."""
        now = self._clock.monotonic()
        while (first := self._index.next_to_end()) and first.ends - END_EARLY_SECONDS <= now:
            self.finish(first, p.EndReason.EXPIRED)
        if self.disaster.on and now >= self.disaster_ends:
            self.set_disaster(p.SetDisaster(on=False))
        self.start_new_day()
        return bool(self._changes) or self.usage_events.pending()

    def next_due(self) -> float:
        """Monotonic seconds at which ``end_due`` is due next; infinity when nobody is online."""
        first = self._index.next_to_end()
        ends = first.ends - END_EARLY_SECONDS if first else float("inf")
        return min(ends, self.disaster_ends) if self.disaster.on else ends

    def add_bytes(self, session: Session, up: int, down: int) -> None:
        """Add bytes to a session; at its quota it is ended or throttled."""
        session.bytes_up += up
        session.bytes_down += down
        if session.throttled or not session.quota_bytes or session.bytes_used() < session.quota_bytes:
            return
        if self._spots[session.spot].limits.when_quota == "end":
            self.finish(session, p.EndReason.QUOTA)
            return
        session.throttled = True
        self._changes.updated.add(session.id)

    def note_addresses(self) -> None:
        """Note the IPv6 addresses of every session."""
        for session in list(self.sessions.values()):
            self._note_addresses(session)

    def record_growth(self) -> None:
        """A usage event for every session that used bytes since its last event."""
        for session in self.sessions.values():
            self.usage_events.record(session, "used")

    def finish(self, session: Session, reason: p.EndReason) -> None:
        """End one session; its seconds are added to the day's use."""
        if self.sessions.get(session.id) is not session:
            return
        self._add_counters(session)
        used = session.seconds_used(self._clock.monotonic())
        for key in filter(None, (session.phone, session.account)):
            self.used_seconds[key] = self.used_seconds.get(key, 0.0) + used
        self._index.remove(session)
        self._changes.updated.discard(session.id)
        self._changes.ended[session.id] = session
        self._note_addresses(session)
        self._changes.log_entries.append(_log_entry(session, self._clock.now()))
        self.usage_events.record(session, "ended", reason.value)

    # -- inside --

    def _add_counters(self, session: Session) -> None:
        up, down = self._read_counters(session)
        session.bytes_up += up
        session.bytes_down += down

    def _log_address_change(self, session: Session) -> None:
        """Log the present MAC and address, which the session is about to leave."""
        self._note_addresses(session)
        self._close_log_entry(session)

    def _close_log_entry(self, session: Session) -> None:
        now = self._clock.now()
        self._changes.log_entries.append(_log_entry(session, now))
        session.moved_at, session.ip6 = now, []
        if session.id in self.sessions:
            self._changes.updated.add(session.id)

    def _note_addresses(self, session: Session) -> None:
        for address in self._read_addresses(session):
            if address not in session.ip6:
                if len(session.ip6) >= MAX_ADDRESSES:
                    self._close_log_entry(session)
                session.ip6.append(address)

    def _refusal_reason(self, spot: SpotSettings, observed: ObservedPhone, request: p.Open) -> p.RefusalReason | None:
        if observed.mac in self.blocked_phones:
            return p.RefusalReason.BLOCKED
        if request.method not in spot.login:
            return p.RefusalReason.METHOD
        online = len(self._index.by_account(request.account))
        return p.RefusalReason.DEVICES if spot.limits.devices and online >= spot.limits.devices else None

    def _start_session(
        self, spot: SpotSettings, observed: ObservedPhone, request: p.Open, pseudonym: str, seconds: float
    ) -> Session:
        now = self._clock.monotonic()
        session = Session(
            id=secrets.token_hex(8),
            spot=spot.name,
            mac=observed.mac,
            ip4=observed.ip4,
            mark=self._index.new_mark(),
            method=request.method,
            language=request.language[:16],
            device=request.device[:32],
            account=request.account[:128],
            phone=pseudonym,
            started_at=self._clock.now(),
            since=now,
            ends=now + seconds,
            quota_bytes=request.quota_bytes or spot.limits.quota_mib * 1024 * 1024,
        )
        self._index.add(session)
        self._changes.updated.add(session.id)
        self.usage_events.record(session, "opened")
        return session

    def _update_address(self, session: Session, observed: ObservedPhone) -> None:
        """The same MAC has another address now (a new lease, another spot of this box): update its session."""
        if observed.leased and observed.ip4 and (observed.ip4, observed.spot) != (session.ip4, session.spot):
            self._add_counters(session)
            self._log_address_change(session)
            session.ip4, session.spot = observed.ip4, observed.spot
            self._changes.updated.add(session.id)

    def _session_of_token(self, token: str) -> Session | None:
        read = self._tokens.read(token)
        session = self.sessions.get(read[0]) if read else None
        return session if read and session and session.moves == read[1] else None

    def _used_today(self, pseudonym: str, account: str = "") -> float:
        used = self.used_seconds.get(pseudonym, 0.0)
        if account:
            now = self._clock.monotonic()
            live = sum(session.seconds_used(now) for session in self._index.by_account(account))
            used = max(used, self.used_seconds.get(account, 0.0) + live)
        return used

    def _extension(self, session: Session, minutes: int) -> float:
        """Seconds from now an extended session may last; 0 when closed, and for methods without extension."""
        if session.method in NOT_EXTENDABLE:
            return 0.0
        spent = session.seconds_used(self._clock.monotonic())
        used = max(self._used_today(session.phone) + spent, self._used_today(session.phone, session.account))
        return granted_seconds(self._spots[session.spot], minutes, used, self._clock.now()) or 0.0

    def _state(self, observed: ObservedPhone, session: Session | None, pseudonym: str) -> p.PhoneState:
        if observed.mac in self.blocked_phones:
            return p.PhoneState.BLOCKED
        if session:
            return p.PhoneState.ONLINE
        return p.PhoneState.ENDED if pseudonym in self.used_seconds else p.PhoneState.WAITING

    def _opened(self, session: Session) -> p.Opened:
        now = phone_view(session, self._clock, self._extension(session, 0))
        token = self._tokens.make(session.id, session.moves)
        return p.Opened(session=session.id, token=token, ends_at=now.ends_at, seconds_left=now.seconds_left, view=now)

    def _refuse(self, observed: ObservedPhone | None, request: p.Open, reason: p.RefusalReason) -> p.Refused:
        note = p.NoteRefused(
            ip=request.ip, method=request.method, why=reason.value, language=request.language, device=request.device
        )
        self.note_refused(observed, note)
        return p.Refused(refused=reason)


def _log_entry(session: Session, until: datetime) -> ConnectionLogEntry:
    """The connection log entry of the session's present MAC and address, up to ``until``."""
    return ConnectionLogEntry(
        session=session.id,
        spot=session.spot,
        mac=session.mac,
        ip4=session.ip4,
        method=session.method,
        begun_at=session.moved_at or session.started_at,
        ended_at=until,
        ip6=list(session.ip6),
    )
