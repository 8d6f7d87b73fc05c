"""Steps of a database's schema, and which release goes on with which file. Pure but for ``Migration.run``.

Three kinds: ``statements`` changes what is there, ``additive`` only puts new tables beside it,
``announced`` is not run yet: this release's code can live with it, and the next one may turn it into ``statements``.
So a release has a way back to the one before when all it adds is additive, or was announced there
(provisioning/updates/README.md, "A way back").
"""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

_ADDITIVE = re.compile(r"CREATE\s+(TABLE|INDEX)\b", re.IGNORECASE)
_TIES = re.compile(r"\bREFERENCES\b(?!.*\bON\s+DELETE\s+(CASCADE|SET\s+NULL)\b)", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True)
class Migration:
    """One step, run once, in order, in a transaction. Never edited once published, taken back or not: add another."""

    sql: tuple[str, ...]
    is_additive: bool = False
    is_announced: bool = False

    @property
    def sha256(self) -> str:
        """Of the statements, whatever their spaces: by it two releases know that they mean the same step."""
        return hashlib.sha256("\n".join(" ".join(one.split()) for one in self.sql).encode()).hexdigest()

    def run(self, connection: sqlite3.Connection) -> None:
        """Execute the statements."""
        for statement in self.sql:
            connection.execute(statement)

    __call__ = run


def statements(*sql: str) -> Migration:
    """A migration made of plain SQL statements. Code that does not know it cannot go on with the file."""
    return Migration(sql)


def additive(*sql: str) -> Migration:
    """New tables and plain indexes: older code goes on beside them. Not even a column: an older ``INSERT … VALUES``
    would fail. Not a reference that an older DELETE would stumble over. Raises ValueError for anything else.
    """
    for one in sql:
        if not _ADDITIVE.match(one.strip()) or _TIES.search(one):
            raise ValueError(f"not additive: {one}")
    return Migration(sql, is_additive=True)


def announced(*sql: str) -> Migration:
    """A step of the next release: not run here, but the code here goes on when it has been run. Stands last."""
    return Migration(sql, is_announced=True)


class Schema(NamedTuple):
    """Of one database in one release. version: what it migrates a file to; compatible_from: which version a release
    must understand to go on with such a file; understands: the newest version its own code goes on with.
    """

    version: int
    compatible_from: int
    understands: int

    def goes_back_to(self, other: Schema) -> bool:
        """Whether ``other``'s code goes on with a file that a release with this schema has used."""
        return self.compatible_from <= other.understands


def schema_of(migrations: Sequence[Migration]) -> Schema:
    """Raises ValueError when an announced step is followed by one that is run."""
    ran = [m for m in migrations if not m.is_announced]
    if any(m.is_announced for m in migrations[: len(ran)]):
        raise ValueError("an announced migration must stand last")
    compatible = max((number for number, m in enumerate(ran, 1) if not m.is_additive), default=0)
    return Schema(len(ran), compatible, len(migrations))


def as_announced_applied(migrations: Sequence[Migration]) -> tuple[Migration, ...]:
    """The same with what is announced run: for tests that the code of today lives with tomorrow's file."""
    return tuple(Migration(m.sql, is_additive=m.is_additive) for m in migrations)
