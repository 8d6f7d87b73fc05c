"""Boxes with one key in two places, and halves of the keys of encrypted volumes: new tables alone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_NAME, _HASH, _SERIAL = sa.String(63), sa.String(64), sa.String(48)


def upgrade() -> None:
    """Make both tables."""
    op.create_table(
        "box_line",
        sa.Column("box", _NAME, primary_key=True, nullable=False),
        sa.Column("serial_before", _SERIAL, nullable=False),
        sa.Column("serial_seen", sa.Boolean, nullable=True),
        sa.Column("chain", _HASH, nullable=False),
        sa.Column("chain_before", _HASH, nullable=False),
        sa.Column("forked_at", sa.BigInteger, nullable=True),
        sa.Column("reason", sa.String(32), nullable=False),
    )
    op.create_table(
        "volume",
        sa.Column("id", sa.String(32), primary_key=True, nullable=False),
        sa.Column("box", _NAME, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("share", _HASH, nullable=False),
        sa.Column("recovery", sa.Text(), nullable=False),
        sa.Column("made_at", sa.BigInteger, nullable=False),
        sa.Column("opened_at", sa.BigInteger, nullable=True),
        sa.Column("openings", sa.BigInteger, nullable=False),
        sa.Column("chain", _HASH, nullable=False),
        sa.Column("chain_before", _HASH, nullable=False),
    )
    op.create_index("ix_volume_box", "volume", ["box"])
