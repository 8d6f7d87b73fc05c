"""What moved in the book since last asked: for the database first and the kernel second."""

from __future__ import annotations

from dataclasses import dataclass, field

from captive_portal.gate import protocol as p
from captive_portal.gate.connection_log.entry import ConnectionLogEntry
from captive_portal.gate.policy.session import Session


@dataclass(slots=True)
class Changes:
    """Ids of live sessions that are new or other, sessions that are over, stays at an address that ended, events, and
    three switches.
    """

    live: set[str] = field(default_factory=set)
    over: dict[str, Session] = field(default_factory=dict)
    log_entries: list[ConnectionLogEntry] = field(default_factory=list)
    usage: list[p.Usage] = field(default_factory=list)
    blocks: bool = False
    disaster: bool = False
    day: bool = False

    def __bool__(self) -> bool:
        return bool(self.live or self.over or self.usage or self.blocks or self.disaster or self.day)
