"""A session as its own phone sees it, as staff see it, and as the connection log keeps it."""

from __future__ import annotations

from datetime import datetime, timedelta

from captive_portal.gate import protocol as p
from captive_portal.gate.connection_log.entry import ConnectionLogEntry
from captive_portal.gate.policy.session import Session
from device.clock import Clock

MAX_ADDRESSES = 256
"""IPv6 addresses in one entry of the connection log; then the next entry begins."""


def phone_view(session: Session, clock: Clock, extension: float) -> p.SessionView:
    """For its own phone. extension: seconds from now up to which it could be extended."""
    left = max(0.0, session.ends - clock.monotonic())
    return p.SessionView(
        session=session.id,
        method=session.method,
        started_at=session.started_at,
        ends_at=clock.now() + timedelta(seconds=left),
        seconds_left=int(left),
        bytes_used=session.bytes_used(),
        bytes_left=max(0, session.quota_bytes - session.bytes_used()) if session.quota_bytes else None,
        can_extend=extension > left + 1,
    )


def staff_view(session: Session, clock: Clock) -> p.SessionDetails:
    """For staff."""
    left = max(0.0, session.ends - clock.monotonic())
    return p.SessionDetails(
        session=session.id,
        spot=session.spot,
        ip=session.ip4,
        mac=session.mac,
        method=session.method,
        language=session.language,
        device=session.device,
        started_at=session.started_at,
        ends_at=clock.now() + timedelta(seconds=left),
        seconds_left=int(left),
        bytes_up=session.bytes_up,
        bytes_down=session.bytes_down,
        throttled=session.throttled,
    )


def log_entry(session: Session, until: datetime) -> ConnectionLogEntry:
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
