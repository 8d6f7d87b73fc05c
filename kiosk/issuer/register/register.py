"""The resident register the issuer reads, and the links from card credentials to residents. SQLite by default.

Tombstones beat rows: a resident who is gone stays gone whatever an import brings. No credential is kept, only the pair
(issuer key, serial). ``RegisterPort`` is what the service needs, so that another database can follow.
"""

from __future__ import annotations

from datetime import date
from typing import Protocol

import msgspec

from device.audit import AUDIT_MIGRATIONS
from device.store import Migration, Store, additive, statements
from kiosk.issuer.register.errors import RegisterRefused
from kiosk.issuer.register.records import (
    GoneReason,
    Household,
    HouseholdNow,
    Population,
    Record,
    ResidentRecord,
    Tombstone,
)
from kiosk.issuer.wire import learn_types

REGISTER_MIGRATIONS: tuple[Migration, ...] = (
    statements(
        "CREATE TABLE household (household TEXT PRIMARY KEY, body BLOB NOT NULL)",
        "CREATE TABLE resident (resident TEXT PRIMARY KEY, household TEXT NOT NULL, place INTEGER NOT NULL,"
        " body BLOB NOT NULL)",
        "CREATE INDEX resident_by_household ON resident (household, place)",
        "CREATE TABLE link (issuer_key TEXT NOT NULL, serial TEXT NOT NULL, resident TEXT NOT NULL,"
        " PRIMARY KEY (issuer_key, serial))",
        "CREATE TABLE revoked (issuer_key TEXT NOT NULL, serial TEXT NOT NULL, PRIMARY KEY (issuer_key, serial))",
        "CREATE TABLE restriction (resident TEXT PRIMARY KEY)",
        "CREATE TABLE tombstone (resident TEXT PRIMARY KEY, reason TEXT NOT NULL, since TEXT NOT NULL)",
    ),
    additive(
        # In the register's own file, so that a change and its line are on the disk together or not at all.
        *AUDIT_MIGRATIONS[0].sql,
        "CREATE INDEX link_by_resident ON link (resident)",
        "CREATE TABLE opaque_key (number INTEGER PRIMARY KEY, secret BLOB NOT NULL)",
        "CREATE TABLE link_history (number INTEGER PRIMARY KEY, issuer_key TEXT NOT NULL, serial TEXT NOT NULL,"
        " resident TEXT NOT NULL, not_after TEXT NOT NULL, begun_at TEXT NOT NULL, ended_at TEXT)",
        "CREATE INDEX link_history_by_credential ON link_history (issuer_key, serial)",
        "CREATE INDEX link_history_by_resident ON link_history (resident)",
        "CREATE TABLE change_request (request TEXT PRIMARY KEY, action TEXT NOT NULL, resident TEXT NOT NULL,"
        " issuer_key TEXT NOT NULL, serial TEXT NOT NULL, not_after TEXT NOT NULL, holder TEXT NOT NULL,"
        " asked_by TEXT NOT NULL, asked_at TEXT NOT NULL, expires_at TEXT NOT NULL, reason TEXT NOT NULL,"
        " outcome TEXT, decided_by TEXT, decided_at TEXT)",
    ),
)


class CredentialResolver(Protocol):
    """Which resident holds a credential; the city's feed is not standardised (docs/sources.md#finding-the-resident)."""

    def resolve(self, issuer_key: str, serial: int) -> str | None:
        """The resident id, or None. One resident may hold several credentials: a renewal brings a new serial."""
        ...


class RevocationCheck(Protocol):
    """Whether a credential was revoked; J-LIS tells a city that notified it (docs/sources.md#card-revocation)."""

    def is_revoked(self, issuer_key: str, serial: int) -> bool:
        """True: do not serve."""
        ...


class RegisterPort(CredentialResolver, RevocationCheck, Protocol):
    """What the issuer asks of a register."""

    def household_of(self, resident: str) -> HouseholdNow | None:
        """The household the resident is or was in, as one consistent picture of this moment; None: never heard of."""
        ...

    def ready(self) -> bool:
        """Whether it can be asked now."""
        ...


class RegisterEntry(Record, frozen=True, kw_only=True):
    """Everything about one resident, for staff at city hall."""

    record: ResidentRecord
    household: Household
    credentials: int
    restricted: bool
    tombstone: Tombstone | None


class Register:
    """RegisterPort over SQLite, with what staff do to it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        learn_types(Household, ResidentRecord, Population)

    def resolve(self, issuer_key: str, serial: int) -> str | None:
        """See CredentialResolver."""
        sql = "SELECT resident FROM link WHERE issuer_key = ? AND serial = ?"
        rows = self._store.rows(sql, (issuer_key, f"{serial:x}"))
        return str(rows[0]["resident"]) if rows else None

    def is_revoked(self, issuer_key: str, serial: int) -> bool:
        """See RevocationCheck: the list that ``revoke`` keeps."""
        sql = "SELECT 1 FROM revoked WHERE issuer_key = ? AND serial = ?"
        return bool(self._store.rows(sql, (issuer_key, f"{serial:x}")))

    def household_of(self, resident: str) -> HouseholdNow | None:
        """See RegisterPort. One statement, so that no change can come in between."""
        rows = self._store.rows(
            "SELECT m.resident, m.body, h.body AS house, t.resident AS gone, x.resident AS restricted"
            " FROM resident AS self JOIN resident AS m ON m.household = self.household"
            " JOIN household AS h ON h.household = self.household"
            " LEFT JOIN tombstone AS t ON t.resident = m.resident"
            " LEFT JOIN restriction AS x ON x.resident = m.resident"
            " WHERE self.resident = ? ORDER BY m.place",
            (resident,),
        )
        if not rows:
            return None
        return HouseholdNow(
            household=msgspec.json.decode(rows[0]["house"], type=Household),
            members=[msgspec.json.decode(r["body"], type=ResidentRecord) for r in rows if r["gone"] is None],
            restricted=frozenset(r["resident"] for r in rows if r["restricted"] is not None),
        )

    def ready(self) -> bool:
        """See RegisterPort: someone is registered."""
        return bool(self._store.rows("SELECT 1 FROM resident LIMIT 1"))

    def import_population(self, population: Population) -> int:
        """Replace all households and residents; the same file twice changes nothing. Links stay; restrictions and
        tombstones are added to, never lifted, by an import. Returns the number of residents.
        """
        with self._store.transaction() as connection:
            connection.execute("DELETE FROM resident")
            connection.execute("DELETE FROM household")
            connection.executemany(
                "INSERT INTO household VALUES (?,?)",
                [(h.household, msgspec.json.encode(h)) for h in population.households],
            )
            connection.executemany(
                "INSERT INTO resident VALUES (?,?,?,?)",
                [(r.resident, r.household, r.place, msgspec.json.encode(r)) for r in population.residents],
            )
            for resident in population.restricted:
                self.restrict(resident)
            for tombstone in population.tombstones:
                self.add_tombstone(tombstone)
        return len(population.residents)

    def link(self, issuer_key: str, serial: int, resident: str) -> None:
        """This credential is this resident's. Raises RegisterRefused("credential_taken") when it is another's: nothing
        moves before ``unlink``. Staff's commands link through AuditedRegister.
        """
        with self._store.transaction() as connection:
            if self.resolve(issuer_key, serial) not in (None, resident):
                raise RegisterRefused("credential_taken")
            connection.execute("INSERT OR IGNORE INTO link VALUES (?,?,?)", (issuer_key, f"{serial:x}", resident))

    def unlink(self, issuer_key: str, serial: int) -> None:
        """This credential is nobody's."""
        with self._store.transaction() as connection:
            connection.execute("DELETE FROM link WHERE issuer_key = ? AND serial = ?", (issuer_key, f"{serial:x}"))

    def linked(self, resident: str | None = None) -> list[tuple[str, int, str]]:
        """Issuer key, serial, resident of the links, of one resident or of all."""
        whose, given = ("WHERE resident = ?", (resident,)) if resident else ("", ())
        rows = self._store.rows(f"SELECT issuer_key, serial, resident FROM link {whose} ORDER BY rowid", given)  # noqa: S608 - our own words
        return [(r["issuer_key"], int(r["serial"], 16), r["resident"]) for r in rows]

    def revoke(self, issuer_key: str, serial: int, on: bool = True) -> None:
        """This credential is not to be served any more; on False: it may be again."""
        add, remove = (
            "INSERT OR IGNORE INTO revoked VALUES (?,?)",
            "DELETE FROM revoked WHERE issuer_key=? AND serial=?",
        )
        with self._store.transaction() as connection:
            connection.execute(add if on else remove, (issuer_key, f"{serial:x}"))

    def restrict(self, resident: str, on: bool = True) -> None:
        """Set or lift the disclosure restriction (支援措置)."""
        sql = "INSERT OR IGNORE INTO restriction VALUES (?)" if on else "DELETE FROM restriction WHERE resident = ?"
        with self._store.transaction() as connection:
            connection.execute(sql, (resident,))

    def add_tombstone(self, tombstone: Tombstone) -> None:
        """The resident is gone; the first tombstone stays."""
        row = (tombstone.resident, tombstone.reason.value, tombstone.since.isoformat())
        with self._store.transaction() as connection:
            connection.execute("INSERT OR IGNORE INTO tombstone VALUES (?,?,?)", row)

    def show(self, resident: str) -> RegisterEntry | None:
        """One resident, for staff; None when there is none."""
        rows = self._store.rows(
            "SELECT r.body, h.body AS house, (SELECT count(*) FROM link WHERE resident = r.resident) AS credentials,"
            " x.resident AS restricted, t.reason, t.since FROM resident AS r JOIN household AS h USING (household)"
            " LEFT JOIN restriction AS x ON x.resident = r.resident LEFT JOIN tombstone AS t ON t.resident = r.resident"
            " WHERE r.resident = ?",
            (resident,),
        )
        if not rows:
            return None
        row = rows[0]
        gone = row["reason"] is not None
        return RegisterEntry(
            record=msgspec.json.decode(row["body"], type=ResidentRecord),
            household=msgspec.json.decode(row["house"], type=Household),
            credentials=row["credentials"],
            restricted=row["restricted"] is not None,
            tombstone=Tombstone(
                resident=resident, reason=GoneReason(row["reason"]), since=date.fromisoformat(row["since"])
            )
            if gone
            else None,
        )

    def residents(self) -> list[str]:
        """All resident ids in the register, in order."""
        return [str(r["resident"]) for r in self._store.rows("SELECT resident FROM resident ORDER BY resident")]
