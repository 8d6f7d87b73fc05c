"""What a box tells of itself: codes and numbers only. Everything it asks may be absent; then it is left out."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

from device.clock import Clock
from device.outbox import Fact, Message, Outbox
from device.printer.status import Condition
from device.store_reading import connect_for_reading
from device.version import version
from provisioning.box.kiosk_screen import IDLE_SCREENS, kiosk_screen
from provisioning.cityhall.errors import NotEnrolled
from provisioning.doctor.audits import past_facts
from provisioning.enrolment.identity import Identity

Paper = Callable[[], Condition]


@dataclass(frozen=True)
class HeartbeatSources:
    """Where the facts come from. audits: part -> SQLite file with an ``audit`` table. kiosk: host, port, or None.
    state: the state folder, where city hall's own heads of the audits are kept. connection_log: the gate's database.
    """

    identity: Identity
    clock: Clock
    outbox: Outbox
    audits: dict[str, Path] = field(default_factory=dict)
    kiosk: tuple[str, int] | None = None
    receipt_paper: Paper | None = None
    page_paper: Paper | None = None
    connection_log: Path | None = None
    findings: Callable[[], Sequence[str]] = field(default=lambda: ())
    state: Path | None = None
    documents: Callable[[], dict[str, Fact]] = field(default=dict)


def make_heartbeat(sources: HeartbeatSources) -> Message:
    """Gather one heartbeat, which is nowhere yet."""
    screen = kiosk_screen(sources.kiosk) if sources.kiosk else None
    facts: dict[str, Fact] = {
        "version": version(),
        "uptime_s": int(time.clock_gettime(time.CLOCK_BOOTTIME)),
        "findings": list(sources.findings())[:64],
        "outbox_waiting": sources.outbox.waiting(),
    }
    if sources.kiosk:
        facts["kiosk_open"] = screen is not None and screen != "closed"
    if sources.page_paper:
        facts["page_paper"] = sources.page_paper().value
    if sources.receipt_paper and (screen is None or screen in IDLE_SCREENS):
        facts["receipt_paper"] = sources.receipt_paper().value
    with suppress(NotEnrolled):
        facts["certificate_days_left"] = sources.identity.credential().days_left(sources.clock.now())
    facts.update(sources.documents())
    for part, file in sources.audits.items():
        facts.update(audit_end(part, file))
    if sources.state is not None:
        facts.update(past_facts(sources.state, sources.audits))
    facts.update(connection_log_end(sources.connection_log) if sources.connection_log else {})
    return sources.outbox.make("heartbeat", **facts)


def connection_log_end(file: Path) -> dict[str, Fact]:
    """Public key and end of the connection log's chain, by which city hall knows the box's records."""
    try:
        with closing(connect_for_reading(file, timeout=2.0)) as connection:
            rows = connection.execute("SELECT name, body FROM fact WHERE name IN ('log_signer', 'log_head')").fetchall()
    except (sqlite3.Error, OSError):
        return {}
    known = {str(row[0]): json.loads(row[1]) for row in rows}
    if known.keys() != {"log_signer", "log_head"}:
        return {}
    head = known["log_head"]
    return {"log_signer": str(known["log_signer"]), "log_head": str(head["hash"]), "log_number": int(head["number"])}


def audit_end(part: str, file: Path) -> dict[str, Fact]:
    """Number and hash of an audit's last line, read without touching the file: at city hall a cut tail shows."""
    try:
        with closing(connect_for_reading(file, timeout=2.0)) as connection:
            row = connection.execute("SELECT sequence, hash FROM audit ORDER BY sequence DESC LIMIT 1").fetchone()
    except (sqlite3.Error, OSError):
        return {}
    return {f"audit_{part}": str(row[1]), f"audit_{part}_lines": int(row[0])} if row else {}
