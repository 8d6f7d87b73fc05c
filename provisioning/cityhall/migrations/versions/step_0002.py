"""Second factors, roles, four eyes, the staff's audit, and the boxes' audits: new tables alone, so that what is there
stays as it was.

Accounts of the first release get the role that lets them go on as before (administer); the time in which they have to
register a second factor begins now (``[cityhall] second_factor_days``).
"""

from __future__ import annotations

import time
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_NAME, _WORD, _HASH = sa.String(63), sa.String(16), sa.String(64)


def _column(name: str, kind: sa.types.TypeEngine[Any], *, empty: bool = False, primary: bool = False) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=empty, primary_key=primary)


def _number() -> sa.Column[Any]:
    return sa.Column("number", sa.Integer, primary_key=True, autoincrement=True)


def _at(name: str, *, empty: bool = False) -> sa.Column[Any]:
    return _column(name, sa.BigInteger(), empty=empty)


def upgrade() -> None:
    """Make the tables; take over the accounts."""
    _factors()
    _log_in()
    _requests()
    _audits()
    now = int(time.time())
    op.execute(
        sa.text(
            "INSERT INTO staff_security (staff, role, factor_due_since) SELECT name, 'administer', :now FROM staff"
        ).bindparams(now=now)
    )


def _factors() -> None:
    op.create_table(
        "staff_security", _column("staff", _NAME, primary=True), _column("role", _WORD), _at("factor_due_since")
    )
    op.create_table(
        "staff_factor",
        _column("id", sa.String(32), primary=True),
        _column("staff", _NAME),
        _column("kind", _WORD),
        _column("label", _NAME),
        _column("secret", sa.Text()),
        _column("credential", sa.Text()),
        _at("counter"),
        _at("made_at"),
        _at("used_at", empty=True),
    )
    op.create_index("ix_staff_factor_staff", "staff_factor", ["staff"])
    op.create_table("staff_recovery", _column("hash", _HASH, primary=True), _column("staff", _NAME))
    op.create_index("ix_staff_recovery_staff", "staff_recovery", ["staff"])


def _log_in() -> None:
    op.create_table(
        "staff_log_in",
        _column("hash", _HASH, primary=True),
        _column("staff", _NAME),
        _column("step", _WORD),
        _column("challenge", sa.String(128)),
        _column("secret", sa.Text()),
        _at("began_at"),
    )
    op.create_table(
        "staff_known_address", _column("staff", _NAME, primary=True), _column("address", _HASH, primary=True), _at("at")
    )


def _requests() -> None:
    op.create_table(
        "staff_request",
        _number(),
        _column("act", _WORD),
        _column("subject", _NAME),
        _column("role", _WORD),
        _column("reason", sa.String(200)),
        _column("state", _WORD),
        _column("asked_by", _NAME),
        _at("asked_at"),
        _column("decided_by", _NAME),
        _at("decided_at", empty=True),
    )


def _audits() -> None:
    op.create_table(
        "staff_audit",
        sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=False),
        _column("at", sa.String(40)),
        _column("event", sa.String(48)),
        _column("facts", sa.Text()),
        _column("hash", _HASH),
    )
    head = [_number(), _column("box", _NAME), _column("part", _WORD), _at("lines"), _column("head", _HASH), _at("at")]
    op.create_table("audit_head", *head, _column("accepted", sa.Boolean()))
    op.create_index("audit_head_of_box", "audit_head", ["box", "part", "number"])
    op.create_table(
        "audit_alarm",
        _number(),
        _column("box", _NAME),
        _column("part", _WORD),
        _column("reason", _WORD),
        _at("lines"),
        _at("kept_lines"),
        _at("at"),
        _at("closed_at", empty=True),
        _column("closed_by", _NAME),
        _column("why", sa.String(200)),
    )
    op.create_index("audit_alarm_of_box", "audit_alarm", ["box", "part"])
