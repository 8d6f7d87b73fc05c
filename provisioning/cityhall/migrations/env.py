"""Alembic's entry: runs on the connection that database.upgrade hands in."""

from __future__ import annotations

from alembic import context

from provisioning.cityhall.tables import Base

context.configure(
    connection=context.config.attributes["connection"], target_metadata=Base.metadata, render_as_batch=True
)
context.run_migrations()
