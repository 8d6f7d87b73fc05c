"""Who had which address when, and for how long: one line of the connection log. Pure.

Destinations are never part of it (docs/sources.md#public-wi-fi).
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from captive_portal.gate.session import Session


class Stay(msgspec.Struct, frozen=True, kw_only=True):
    """One phone at one IPv4 address from ``begun_at`` to ``ended_at``. A session that moved to another MAC or address
    makes one for each.
    """

    session: str
    spot: str
    mac: str
    ip4: str
    method: str
    begun_at: datetime
    ended_at: datetime


def stay_of(session: Session, until: datetime) -> Stay:
    """The stay that ends now."""
    return Stay(
        session=session.id,
        spot=session.spot,
        mac=session.mac,
        ip4=session.ip4,
        method=session.method,
        begun_at=session.moved_at or session.started_at,
        ended_at=until,
    )
