"""Runs inside the container: staff at the kiosk after a power cut. Arguments: issue numbers on papers they found."""

from __future__ import annotations

import sys
from pathlib import Path

from device.audit import Audit
from device.clock import SystemClock
from device.store import Store
from kiosk.schema import KIOSK_MIGRATIONS
from kiosk.services.certificates.issuance.journal import Journal
from kiosk.services.certificates.issuance.open_matters import Decision, OpenMatters
from kiosk.services.certificates.issuance.states import State
from kiosk.shell.alarm import Alarm


def settle(found: set[str]) -> None:
    """Hand over what was printed, give back the money for what was not, let the kiosk serve again."""
    store, clock = Store(Path("/var/lib/hiroba/kiosk/kiosk.db"), KIOSK_MIGRATIONS), SystemClock()
    audit = Audit(store, clock)
    matters = OpenMatters(store, Journal(store, audit, clock), audit)
    for row in matters.waiting():
        there = row.state is State.UNKNOWN and row.issue_number in found
        matters.resolve(row.request, Decision.DELIVERED if there else Decision.REFUND)
    Alarm(store, audit, clock).clear()
    store.close()


if __name__ == "__main__":
    settle(set(sys.argv[1:]))
