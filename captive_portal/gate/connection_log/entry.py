"""Who had which address when: one entry of the connection log. Destinations are never part of it."""

from __future__ import annotations

from datetime import datetime

import msgspec


class ConnectionLogEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One phone at one IPv4 address from ``begun_at`` to ``ended_at``. A session that moved to another MAC or address
    has one entry for each. ip6: the IPv6 addresses that it sent from meanwhile.
    """

    session: str
    spot: str
    mac: str
    ip4: str
    method: str
    begun_at: datetime
    ended_at: datetime
    ip6: list[str] = []
