"""Messages to city hall that survive a power cut and days without a line: kept in SQLite until acknowledged by id.

A put is on the card when it returns. Delivery is at least once; the id (UUIDv7) lets the service drop duplicates, so a
message counts once. Only enumerated kinds and facts go in, and no value that could be a person's (N3, N8).
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import resources
from uuid import UUID

from device.clock import Clock
from device.store import Migration, Store, statements
from device.uuid7 import Uuid7

OUTBOX_MIGRATIONS: tuple[Migration, ...] = (
    statements(
        "CREATE TABLE outbox (id TEXT PRIMARY KEY, priority INTEGER NOT NULL, kind TEXT NOT NULL, at INTEGER NOT NULL,"
        " facts TEXT NOT NULL, count INTEGER NOT NULL DEFAULT 1, offered INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID",
        "CREATE INDEX outbox_order ON outbox (priority, id)",
    ),
)
MAX_IN_BATCH = 256
COLLAPSE_BYTES = 20 * 1024 * 1024
"""About 100,000 heartbeats, ten weeks at one a minute."""
_HOUR = 3600
_CODE = re.compile(r"[A-Za-z0-9_.+/-]{0,80}", re.ASCII)  # no colon (MAC), no @ (mail), no space or kanji (names)

Fact = bool | int | float | str | list[str] | None


@dataclass(frozen=True)
class Kind:
    """One enumerated kind of message, see outbox_kinds.toml."""

    meaning: str
    priority: int
    collapses: bool
    facts: frozenset[str]


@dataclass(frozen=True)
class Message:
    """One message. at: unix seconds by the box's clock. count: how many of its kind this one stands for."""

    id: str
    kind: str
    at: int
    count: int
    facts: dict[str, Fact]


def known_kinds() -> Mapping[str, Kind]:
    """The enumeration in outbox_kinds.toml."""
    tree = tomllib.loads(resources.files("device").joinpath("outbox_kinds.toml").read_text("utf-8"))
    return {
        name: Kind(str(e["meaning"]), int(e["priority"]), bool(e["collapses"]), frozenset(map(str, e["facts"])))
        for name, e in tree.items()
    }


def check_facts(kind: Kind, facts: Mapping[str, object]) -> None:
    """Raises KeyError for a fact that is not enumerated, ValueError for a value that is neither number nor code."""
    strange = facts.keys() - kind.facts
    if strange:
        raise KeyError(f"not enumerated: {sorted(strange)}")
    wrong = sorted(name for name, value in facts.items() if not _impersonal(value))
    if wrong:
        raise ValueError(f"neither number nor code: {wrong}")


def _impersonal(value: object) -> bool:
    if isinstance(value, list):
        return len(value) <= 64 and all(isinstance(v, str) and _CODE.fullmatch(v) is not None for v in value)
    if isinstance(value, str):
        return _CODE.fullmatch(value) is not None
    return value is None or isinstance(value, bool | int | float)


class Outbox:
    """The outbox in ``store`` (made with OUTBOX_MIGRATIONS). collapse_bytes: above this size heartbeats collapse."""

    def __init__(self, store: Store, clock: Clock, collapse_bytes: int = COLLAPSE_BYTES) -> None:
        self._store = store
        self._clock = clock
        self._kinds = known_kinds()
        self._collapse_bytes = collapse_bytes
        (row,) = store.rows("SELECT max(id) AS last FROM outbox")
        self._ids = Uuid7(UUID(row["last"]) if row["last"] else None)

    def put(self, kind: str, **facts: Fact) -> str:
        """Keep one message, fsynced; its id. Raises KeyError or ValueError for what is not enumerated."""
        message = self.make(kind, **facts)
        self.keep(message)
        return message.id

    def make(self, kind: str, **facts: Fact) -> Message:
        """One message that is nowhere yet. Raises as ``put``."""
        check_facts(self._kinds[kind], facts)
        now = max(self._clock.now().timestamp(), 0.0)
        return Message(str(self._ids.make(int(now * 1000))), kind, int(now), 1, facts)

    def keep(self, message: Message, offered: bool = False) -> None:
        """Keep what ``make`` made, fsynced. offered: it was sent already, and nobody knows whether it arrived."""
        text = json.dumps(message.facts, sort_keys=True)
        with self._store.transaction() as connection:
            connection.execute(
                "INSERT INTO outbox (id, priority, kind, at, facts, offered) VALUES (?,?,?,?,?,?)",
                (message.id, self._kinds[message.kind].priority, message.kind, message.at, text, offered),
            )
        if self.size_bytes() > self._collapse_bytes:
            self.collapse()

    def batch(self, most: int = MAX_IN_BATCH) -> tuple[Message, ...]:
        """The next messages to send, urgent first, then oldest; they are marked as offered before this returns."""
        with self._store.transaction() as connection:
            rows = connection.execute(
                "SELECT * FROM outbox ORDER BY priority, id LIMIT ?", (min(most, MAX_IN_BATCH),)
            ).fetchall()
            fresh = [(r["id"],) for r in rows if not r["offered"]]
            connection.executemany("UPDATE outbox SET offered = 1 WHERE id = ?", fresh)
        return tuple(Message(r["id"], r["kind"], r["at"], r["count"], json.loads(r["facts"])) for r in rows)

    def acknowledged(self, ids: Iterable[str]) -> None:
        """The service has these for good: delete them. Ids that are not here are nothing."""
        with self._store.transaction() as connection:
            connection.executemany("DELETE FROM outbox WHERE id = ?", [(name,) for name in ids])

    def waiting(self) -> int:
        """How many messages are kept."""
        return int(self._store.rows("SELECT count(*) AS n FROM outbox")[0]["n"])

    def size_bytes(self) -> int:
        """Bytes the messages take on the card, by SQLite's own pages."""
        pages, free, size = (
            int(self._store.rows(f"PRAGMA {name}")[0][0]) for name in ("page_count", "freelist_count", "page_size")
        )
        return (pages - free) * size

    def collapse(self) -> None:
        """Let the newest message of each full hour stand for all of its kind in that hour.

        One that was ever offered stays as it is: the service may have counted it already.
        """
        kinds = [name for name, kind in self._kinds.items() if kind.collapses]
        with self._store.transaction() as connection:
            for kind in kinds:
                groups = connection.execute(
                    f"SELECT max(id) AS kept, sum(count) AS total, at / {_HOUR} AS hour FROM outbox"  # noqa: S608
                    " WHERE kind = ? AND offered = 0 GROUP BY hour HAVING count(*) > 1",  # only our own constant
                    (kind,),
                ).fetchall()
                for group in groups:
                    connection.execute(
                        f"DELETE FROM outbox WHERE kind = ? AND offered = 0 AND at / {_HOUR} = ? AND id <> ?",  # noqa: S608
                        (kind, group["hour"], group["kept"]),
                    )
                    connection.execute("UPDATE outbox SET count = ? WHERE id = ?", (group["total"], group["kept"]))
