"""The tables of the kiosk's own database, in the order they came; never edited after a release: add at the end.

No names, no addresses, no PDF: codes, counts, times and random ids only (N3).
"""

from __future__ import annotations

from device.audit import AUDIT_MIGRATIONS
from device.store import Migration
from kiosk.services.certificates.issuance.schema import JOURNAL_STEP, OUTCOME_KEY_STEP
from kiosk.shell.alarm import ALARM_STEP
from kiosk.shell.wrong_codes import WRONG_CODES_STEP

KIOSK_MIGRATIONS: tuple[Migration, ...] = (
    AUDIT_MIGRATIONS[0],
    JOURNAL_STEP,
    ALARM_STEP,
    OUTCOME_KEY_STEP,
    WRONG_CODES_STEP,
)
"""For ``Store(path, KIOSK_MIGRATIONS)``: audit, journal, alarm and wrong staff codes share one file, so a move and its
audit line are one commit.
"""
