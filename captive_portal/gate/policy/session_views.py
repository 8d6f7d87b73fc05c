"""A session as its own phone sees it, and as staff see it."""

from __future__ import annotations

from datetime import timedelta

from captive_portal.gate import protocol as p
from captive_portal.gate.policy.session import Session
from device.clock import Clock


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
