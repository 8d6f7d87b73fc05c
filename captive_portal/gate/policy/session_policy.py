"""The desired state: who may pass, until when, and why not. Pure memory; others write it down and carry it out.

Every request is answered here at once; what changed since ``take_changes`` was last called stands in ``Changes``, for
the database first and the kernel second.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from captive_portal.gate import protocol as p
from captive_portal.gate.connection_log.entry import ConnectionLogEntry
from captive_portal.gate.policy.blocked_phones import Blocks
from captive_portal.gate.policy.changes import Changes
from captive_portal.gate.policy.identity import Handles, Tokens
from captive_portal.gate.policy.session import Session, Sighting, day_left, granted_seconds, open_seconds
from captive_portal.gate.policy.session_index import Roster
from captive_portal.gate.policy.session_views import shown, view
from captive_portal.gate.policy.usage_events import Teller
from captive_portal.settings import SpotSettings, WifiSettings
from device.clock import JST, Clock

LONGEST_DISASTER = timedelta(days=30)
EARLY = 0.4
"""Seconds before the kernel's own time-out at which the gate ends a session, to read its last bytes."""


Measure = Callable[[Session], tuple[int, int]]
"""Bytes (up, down) of a session since last asked; called before its elements in the kernel change."""


def no_bytes(session: Session) -> tuple[int, int]:  # noqa: ARG001 - a Measure for a book without a kernel
    """Nothing passed."""
    return 0, 0


class Book:
    """All sessions, blocks, the day's use and the disaster switch of one box."""

    def __init__(
        self, settings: WifiSettings, clock: Clock, handles: Handles, tokens: Tokens, measure: Measure = no_bytes
    ) -> None:
        self._measure = measure
        self._settings = settings
        self._clock = clock
        self._handles = handles
        self._tokens = tokens
        self._spots = {spot.name: spot for spot in settings.spots}
        self._roster = Roster()
        self._changes = Changes()
        self.teller = Teller(clock)
        self.sessions = self._roster.sessions
        self.used: dict[str, float] = {}
        self.blocks = Blocks()
        self.disaster = p.Disaster(on=False)
        self.disaster_ends = 0.0
        self.new_day()

    # -- memory --

    def restore(self, sessions: Iterable[Session], used: dict[str, float], numbered: int) -> None:
        """Take over what the database remembers; nothing counts as changed by it."""
        for session in sessions:
            self._roster.add(session)
        self.used.update(used)
        self.teller.numbered = numbered

    def take_changes(self) -> Changes:
        """What changed since the last call."""
        taken, self._changes = self._changes, Changes()
        taken.usage = self.teller.take()
        return taken

    def changed_disaster(self) -> bool:
        """Was the disaster switch touched since ``take_changes``?"""
        return self._changes.disaster

    def new_day(self) -> bool:
        """After midnight: a new salt, and nobody has used anything yet. True when the day changed."""
        if not self._handles.rotate():
            return False
        self.used.clear()
        self._changes.day = True
        return True

    # -- what a phone asks --

    def lookup(self, seen: Sighting | None) -> p.Phone:
        """See protocol.Lookup."""
        if seen is None:
            return p.Phone(phone="", spot="", state=p.PhoneState.UNKNOWN, disaster=self.disaster.on)
        spot, session = self._spots[seen.spot], self._roster.of(seen.mac)
        if session:
            self._follow(session, seen)
        handle = self._handles.of(seen.mac)
        left = day_left(spot, self._used_today(handle))
        return p.Phone(
            phone=handle,
            spot=spot.name,
            state=self._state(seen, session, handle),
            session=view(session, self._clock, self._extension(session, 0)) if session else None,
            minutes_left_today=None if left == float("inf") else max(0, int(left // 60)),
            closed=open_seconds(spot, self._clock.now()) is None,
            disaster=self.disaster.on,
        )

    def open(self, seen: Sighting | None, asked: p.Open) -> p.Opened | p.Refused:
        """See protocol.Open."""
        if seen is None or not seen.leased:
            return self._refuse(seen, asked, p.RefusalReason.NO_LEASE)
        if session := self._roster.of(seen.mac):
            self._follow(session, seen)
            return self._opened(session)
        spot = self._spots[seen.spot]
        reason = self._bar(spot, seen, asked)
        if reason:
            return self._refuse(seen, asked, reason)
        handle = self._handles.of(seen.mac)
        seconds = granted_seconds(spot, asked.minutes, self._used_today(handle, asked.account), self._clock.now())
        if not seconds or seconds <= EARLY:
            closed = seconds is None
            return self._refuse(seen, asked, p.RefusalReason.CLOSED if closed else p.RefusalReason.MINUTES_USED)
        return self._opened(self._begin(spot, seen, asked, handle, seconds))

    def extend(self, seen: Sighting | None, minutes: int) -> p.Opened | p.Refused:
        """See protocol.Extend."""
        session = self._roster.of(seen.mac) if seen else None
        if session is None:
            return p.Refused(refused=p.RefusalReason.NOT_ONLINE)
        seconds = self._extension(session, minutes)
        if seconds <= session.ends - self._clock.monotonic():
            return p.Refused(refused=p.RefusalReason.MINUTES_USED)
        self._settle_bytes(session)
        session.ends = self._clock.monotonic() + seconds
        self._roster.ends_at(session)
        self._changes.live.add(session.id)
        return self._opened(session)

    def resume(self, seen: Sighting | None, token: str) -> p.Opened | p.Refused:
        """See protocol.Resume."""
        if seen is None or not seen.leased:
            return p.Refused(refused=p.RefusalReason.NO_LEASE)
        if seen.mac in self.blocks:
            return p.Refused(refused=p.RefusalReason.BLOCKED)
        if present := self._roster.of(seen.mac):
            return self._opened(present)
        session = self._of_token(token)
        if session is None:
            return p.Refused(refused=p.RefusalReason.TOKEN)
        self._settle_bytes(session)
        self._leave(session)
        self._roster.remove(session)
        session.mac, session.ip4, session.spot = seen.mac, seen.ip4, seen.spot
        session.mark, session.moves = self._roster.new_mark(), session.moves + 1
        self._roster.add(session)
        self._changes.live.add(session.id)
        return self._opened(session)

    def end(self, seen: Sighting | None, session_id: str, reason: p.EndReason) -> int:
        """See protocol.End."""
        session = self.sessions.get(session_id) if session_id else self._roster.of(seen.mac) if seen else None
        if session is None:
            return 0
        self.finish(session, reason)
        return 1

    def note_refused(self, seen: Sighting | None, note: p.NoteRefused) -> None:
        """See protocol.NoteRefused."""
        visitor, spot = (self._handles.of(seen.mac), seen.spot) if seen else ("", "")
        self.teller.tell_refused(spot, visitor, note)

    # -- what staff ask --

    def shown(self, spot: str = "") -> list[p.SessionShown]:
        """See protocol.ListSessions."""
        return [shown(s, self._clock) for s in self.sessions.values() if not spot or s.spot == spot]

    def block(self, seen: Sighting | None, session_id: str, mac: str) -> int:
        """See protocol.Block."""
        session = self.sessions.get(session_id)
        target = mac.lower() or (session.mac if session else seen.mac if seen else "")
        if not target:
            return 0
        online = self._roster.of(target)
        here = online.spot if online else seen.spot if seen else ""
        self.blocks.add(target, here, self._clock.now())
        self._changes.blocks = True
        if online:
            self.finish(online, p.EndReason.BLOCKED)
        return 1

    def unblock(self, mac: str, number: str) -> int:
        """See protocol.Unblock."""
        lifted = self.blocks.lift(mac.lower(), number)
        self._changes.blocks |= bool(lifted)
        return lifted

    def set_disaster(self, asked: p.SetDisaster) -> p.Disaster:
        """See protocol.SetDisaster. Without ``until``, or too far away, it ends after LONGEST_DISASTER."""
        self._changes.disaster = True
        if not asked.on:
            self.disaster, self.disaster_ends = p.Disaster(on=False), 0.0
            return self.disaster
        now = self._clock.now()
        until = min(asked.until or now + LONGEST_DISASTER, now + LONGEST_DISASTER).astimezone(JST)
        self.disaster_ends = self._clock.monotonic() + (until - now).total_seconds()
        self.disaster = p.Disaster(on=until > now, reason=asked.reason, until=until, drill=asked.drill)
        return self.disaster

    # -- what time and bytes do --

    def due(self) -> bool:
        """End what has ended by now; True when anything did."""
        now = self._clock.monotonic()
        while (first := self._roster.first()) and first.ends - EARLY <= now:
            self.finish(first, p.EndReason.EXPIRED)
        if self.disaster.on and now >= self.disaster_ends:
            self.set_disaster(p.SetDisaster(on=False))
        self.new_day()
        return bool(self._changes) or self.teller.waiting()

    def next_due(self) -> float:
        """Monotonic seconds at which ``due`` has work; infinity when nobody is online."""
        first = self._roster.first()
        ends = first.ends - EARLY if first else float("inf")
        return min(ends, self.disaster_ends) if self.disaster.on else ends

    def count(self, session: Session, up: int, down: int) -> None:
        """Add bytes that passed; a used-up quota ends or throttles."""
        session.bytes_up += up
        session.bytes_down += down
        if session.throttled or not session.quota_bytes or session.bytes_used() < session.quota_bytes:
            return
        if self._spots[session.spot].limits.when_quota == "end":
            self.finish(session, p.EndReason.QUOTA)
            return
        session.throttled = True
        self._changes.live.add(session.id)

    def tell_used(self) -> None:
        """Put the growth of every session since it was last told into the events."""
        for session in self.sessions.values():
            self.teller.tell(session, "used")

    def finish(self, session: Session, reason: p.EndReason) -> None:
        """End one session; its use counts for the day."""
        if self.sessions.get(session.id) is not session:
            return
        self._settle_bytes(session)
        used = session.seconds_used(self._clock.monotonic())
        for key in filter(None, (session.phone, session.account)):
            self.used[key] = self.used.get(key, 0.0) + used
        self._roster.remove(session)
        self._changes.live.discard(session.id)
        self._changes.over[session.id] = session
        self._changes.log_entries.append(_log_entry(session, self._clock.now()))
        self.teller.tell(session, "ended", reason.value)

    # -- inside --

    def _settle_bytes(self, session: Session) -> None:
        up, down = self._measure(session)
        session.bytes_up += up
        session.bytes_down += down

    def _leave(self, session: Session) -> None:
        """Its present MAC or address is left for another."""
        now = self._clock.now()
        self._changes.log_entries.append(_log_entry(session, now))
        session.moved_at = now

    def _bar(self, spot: SpotSettings, seen: Sighting, asked: p.Open) -> p.RefusalReason | None:
        if seen.mac in self.blocks:
            return p.RefusalReason.BLOCKED
        if asked.method not in spot.login:
            return p.RefusalReason.METHOD
        online = len(self._roster.of_account(asked.account))
        return p.RefusalReason.DEVICES if spot.limits.devices and online >= spot.limits.devices else None

    def _begin(self, spot: SpotSettings, seen: Sighting, asked: p.Open, handle: str, seconds: float) -> Session:
        now = self._clock.monotonic()
        session = Session(
            id=secrets.token_hex(8),
            spot=spot.name,
            mac=seen.mac,
            ip4=seen.ip4,
            mark=self._roster.new_mark(),
            method=asked.method,
            language=asked.language[:16],
            device=asked.device[:32],
            account=asked.account[:128],
            phone=handle,
            started_at=self._clock.now(),
            since=now,
            ends=now + seconds,
            quota_bytes=asked.quota_bytes or spot.limits.quota_mib * 1024 * 1024,
        )
        self._roster.add(session)
        self._changes.live.add(session.id)
        self.teller.tell(session, "opened")
        return session

    def _follow(self, session: Session, seen: Sighting) -> None:
        """The same MAC has another address now (a new lease, another spot of this box): the session goes with it."""
        if seen.leased and seen.ip4 and (seen.ip4, seen.spot) != (session.ip4, session.spot):
            self._settle_bytes(session)
            self._leave(session)
            session.ip4, session.spot = seen.ip4, seen.spot
            self._changes.live.add(session.id)

    def _of_token(self, token: str) -> Session | None:
        read = self._tokens.read(token)
        session = self.sessions.get(read[0]) if read else None
        return session if read and session and session.moves == read[1] else None

    def _used_today(self, handle: str, account: str = "") -> float:
        used = self.used.get(handle, 0.0)
        if account:
            now = self._clock.monotonic()
            live = sum(session.seconds_used(now) for session in self._roster.of_account(account))
            used = max(used, self.used.get(account, 0.0) + live)
        return used

    def _extension(self, session: Session, minutes: int) -> float:
        """Seconds from now an extended session may last; 0 when closed, and for a voucher: it buys its own minutes."""
        if session.method == "voucher":
            return 0.0
        spent = session.seconds_used(self._clock.monotonic())
        used = max(self._used_today(session.phone) + spent, self._used_today(session.phone, session.account))
        return granted_seconds(self._spots[session.spot], minutes, used, self._clock.now()) or 0.0

    def _state(self, seen: Sighting, session: Session | None, handle: str) -> p.PhoneState:
        if seen.mac in self.blocks:
            return p.PhoneState.BLOCKED
        if session:
            return p.PhoneState.ONLINE
        return p.PhoneState.ENDED if handle in self.used else p.PhoneState.WAITING

    def _opened(self, session: Session) -> p.Opened:
        now = view(session, self._clock, self._extension(session, 0))
        token = self._tokens.make(session.id, session.moves)
        return p.Opened(session=session.id, token=token, ends_at=now.ends_at, seconds_left=now.seconds_left, view=now)

    def _refuse(self, seen: Sighting | None, asked: p.Open, reason: p.RefusalReason) -> p.Refused:
        note = p.NoteRefused(
            ip=asked.ip, method=asked.method, why=reason.value, language=asked.language, device=asked.device
        )
        self.note_refused(seen, note)
        return p.Refused(refused=reason)


def _log_entry(session: Session, until: datetime) -> ConnectionLogEntry:
    """The connection log's entry of its present MAC and address, up to now."""
    return ConnectionLogEntry(
        session=session.id,
        spot=session.spot,
        mac=session.mac,
        ip4=session.ip4,
        method=session.method,
        begun_at=session.moved_at or session.started_at,
        ended_at=until,
    )
