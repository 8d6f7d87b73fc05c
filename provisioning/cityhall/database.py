"""Opens city hall's database, SQLite by default or PostgreSQL, and brings its schema up to date with Alembic."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path

from sqlalchemy import Engine, create_engine, event, make_url, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from device.store_reading import connect_for_reading
from provisioning.cityhall.errors import DatabaseDown
from provisioning.cityhall.settings import DATABASE, FOLDER

_MIGRATION_LOCK = 0x4849524F  # any constant: one migration at a time on one PostgreSQL


def open_engine(url: str, state: Path) -> Engine:
    """The engine for ``url``; "" is SQLite at STATE/fleet/fleet.db. Nothing is connected yet. Raises DatabaseDown."""
    if not url:
        folder = state / FOLDER
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        url = f"sqlite:///{folder / DATABASE}"
    try:
        parsed = make_url(url)
        if parsed.drivername == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg")
        engine = create_engine(parsed, pool_pre_ping=True)
    except (SQLAlchemyError, ImportError) as error:
        raise DatabaseDown(reason=type(error).__name__) from error
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _sqlite_pragmas)
        event.listen(engine, "begin", _sqlite_begin)
    return engine


def open_engine_for_reading(url: str, state: Path) -> tuple[Engine, Path | None]:
    """An engine that changes no file, and the file of its database when it is SQLite. The schema is taken as it is.
    Raises DatabaseDown.
    """
    if url and make_url(url).drivername.split("+")[0] != "sqlite":
        return open_engine(url, state), None
    file = Path((make_url(url).database or "") if url else state / FOLDER / DATABASE)
    return create_engine("sqlite://", creator=lambda: connect_for_reading(file), poolclass=NullPool), file


def _sqlite_pragmas(connection: object, _record: object) -> None:
    """Like device.store: on the disk when commit returns. The driver's own BEGIN is off, see _sqlite_begin."""
    connection.isolation_level = None  # type: ignore[attr-defined]  # a sqlite3.Connection that SQLAlchemy types as object
    cursor = connection.cursor()  # type: ignore[attr-defined]  # as above
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=10000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _sqlite_begin(connection: object) -> None:
    """Take the write lock at once: a transaction that reads and then writes is never turned away half-way."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")  # type: ignore[attr-defined]  # a Connection, see above


def upgrade(engine: Engine) -> None:
    """Run the migrations that are missing, all or none. Raises DatabaseDown."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(resources.files("provisioning.cityhall") / "migrations"))
    try:
        with engine.begin() as connection:
            if engine.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": _MIGRATION_LOCK})
            config.attributes["connection"] = connection
            command.upgrade(config, "heads")
    except SQLAlchemyError as error:
        raise DatabaseDown(reason=type(error).__name__) from error


class Database:
    """Hands out transactions."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Commits when the block ends well, else rolls back."""
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()
