"""Alembic's entry: runs on the connection that database.upgrade hands in. May import: alembic, this room's tables."""

from __future__ import annotations

from alembic import context

from provisioning.fleet.tables import Base

context.configure(
    connection=context.config.attributes["connection"], target_metadata=Base.metadata, render_as_batch=True
)
context.run_migrations()
