"""One file a step. A step may import alembic and SQLAlchemy."""
