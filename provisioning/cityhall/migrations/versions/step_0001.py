"""The first schema of city hall's database."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_NAME = sa.String(63)
_HASH = sa.String(64)


def _at(name: str, *, may_be_empty: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.BigInteger, nullable=may_be_empty)


def _required(name: str, kind: sa.types.TypeEngine[Any], *, primary_key: bool = False) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False, primary_key=primary_key)


def upgrade() -> None:
    """Make every table."""
    _boxes()
    _enrolment()
    _messages()
    _staff()


def _boxes() -> None:
    op.create_table(
        "box",
        _required("name", _NAME, primary_key=True),
        sa.Column("key", _HASH, nullable=False, unique=True),
        _required("state", sa.String(16)),
        _at("enrolled_at"),
        _at("revoked_at", may_be_empty=True),
        _required("certificate_serial", sa.String(48)),
        _at("certificate_until"),
        _at("seen_at", may_be_empty=True),
        _at("heartbeat_at", may_be_empty=True),
        _at("skew_seconds"),
        _at("heartbeats"),
        _required("facts", sa.JSON()),
    )


def _enrolment() -> None:
    op.create_table(
        "code",
        _required("hash", _HASH, primary_key=True),
        _required("box", _NAME),
        _at("made_at"),
        _at("expires_at"),
        _at("used_at", may_be_empty=True),
        sa.Column("enrolment", sa.String(32)),
    )
    op.create_table(
        "enrolment",
        _required("id", sa.String(32), primary_key=True),
        _required("box", _NAME),
        _required("key", _HASH),
        _required("request", sa.Text()),
        _required("kind", sa.String(16)),
        _required("state", sa.String(16)),
        _at("asked_at"),
        _at("decided_at", may_be_empty=True),
        _required("decided_by", _NAME),
        _required("certificate", sa.Text()),
    )
    op.create_index("ix_enrolment_state", "enrolment", ["state"])


def _messages() -> None:
    op.create_table(
        "received",
        _required("box", _NAME, primary_key=True),
        _required("id", sa.String(36), primary_key=True),
        _required("kind", sa.String(32)),
        _at("at"),
        _at("received_at"),
        _at("late_seconds"),
        _required("count", sa.Integer()),
        _required("facts", sa.JSON()),
    )
    op.create_index("received_by_time", "received", ["received_at"])
    op.create_index("received_of_box", "received", ["box", "kind", "received_at"])


def _staff() -> None:
    op.create_table(
        "staff",
        _required("name", _NAME, primary_key=True),
        _required("password", sa.String(255)),
        _required("active", sa.Boolean()),
    )
    op.create_table(
        "staff_session",
        _required("hash", _HASH, primary_key=True),
        _required("staff", _NAME),
        _at("began_at"),
        _at("used_at"),
    )
    op.create_table(
        "refusal",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        _required("who", _HASH),
        _at("at"),
    )
    op.create_index("refusal_who", "refusal", ["who", "at"])
    op.create_table(
        "deed",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        _at("at"),
        _required("staff", _NAME),
        _required("deed", sa.String(32)),
        _required("box", _NAME),
    )
