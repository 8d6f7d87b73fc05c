"""Changes of the desired state, for the database first and the kernel second."""

from __future__ import annotations

from dataclasses import dataclass, field

from captive_portal.gate import protocol as p
from captive_portal.gate.connection_log.entry import ConnectionLogEntry
from captive_portal.gate.policy.session import Session


@dataclass(slots=True)
class Changes:
    """updated: ids of live sessions that are new or changed; ended: sessions that ended, by id; log_entries: for the
    connection log; blocked_phones, disaster, day: whether that changed.
    """

    updated: set[str] = field(default_factory=set)
    ended: dict[str, Session] = field(default_factory=dict)
    log_entries: list[ConnectionLogEntry] = field(default_factory=list)
    usage_events: list[p.UsageEvent] = field(default_factory=list)
    blocked_phones: bool = False
    disaster: bool = False
    day: bool = False

    def __bool__(self) -> bool:
        return bool(self.updated or self.ended or self.usage_events or self.blocked_phones or self.disaster or self.day)
