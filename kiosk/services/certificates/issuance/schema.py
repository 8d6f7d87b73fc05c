"""The journal's tables in the kiosk's database.

No names, no addresses, no PDF: codes, counts, times and random ids only (N3).
"""

from __future__ import annotations

from device.store import additive, statements

JOURNAL_STEP = statements(
    "CREATE TABLE request (request TEXT PRIMARY KEY, visit TEXT NOT NULL, kind TEXT NOT NULL,"
    " copies INTEGER NOT NULL, state TEXT NOT NULL, reason TEXT NOT NULL DEFAULT '',"
    " issue_number TEXT NOT NULL DEFAULT '', fee_yen INTEGER NOT NULL DEFAULT 0,"
    " pages INTEGER NOT NULL DEFAULT 0, sha256 TEXT NOT NULL DEFAULT '', attempt INTEGER NOT NULL DEFAULT 0,"
    " job_id INTEGER, job_uuid TEXT, printer_uuid TEXT, printer_up_time INTEGER,"
    " method TEXT NOT NULL DEFAULT '', paid_yen INTEGER NOT NULL DEFAULT 0, reference TEXT NOT NULL DEFAULT '',"
    " refunded_at TEXT, asked_at TEXT NOT NULL, moved_at TEXT NOT NULL)",
    "CREATE INDEX request_by_state ON request (state)",
    "CREATE TABLE move (sequence INTEGER PRIMARY KEY, request TEXT NOT NULL REFERENCES request (request),"
    " state TEXT NOT NULL, reason TEXT NOT NULL, at TEXT NOT NULL)",
    "CREATE INDEX move_by_request ON move (request)",
    "CREATE TABLE outcome (request TEXT PRIMARY KEY REFERENCES request (request), outcome TEXT NOT NULL, told_at TEXT)",
)
"""The migration that makes the journal's tables."""
OUTCOME_KEY_STEP = additive(
    "CREATE TABLE outcome_key (request TEXT PRIMARY KEY REFERENCES request (request) ON DELETE CASCADE,"
    " key TEXT NOT NULL)"
)
"""What the outcome of a request is told with (kiosk/issuer/protocol.py), until the issuer has heard it."""
