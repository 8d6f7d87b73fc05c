"""Vouchers: codes from staff, made in batches, each valid for one phone once.

Only keyed hashes are stored; a code is shown when it is made and never again.
"""

from __future__ import annotations

import hmac
import secrets
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from captive_portal.portal.login.method import Accepted, Outcome, Rejected, Visitor
from captive_portal.portal.records import AttemptLimiter
from captive_portal.portal.tokens import keyed_hash
from device.audit import AuditSink
from device.clock import JST, Clock
from device.store import Store

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""31 characters that are not mistaken for one another. 31 is prime, so the check character below detects every single
wrong character and every transposition."""
LENGTH = 12
WRONG_PER_HOUR = 10
GUESSES_IN_ALL, WRONG_WHILE_GUESSED = 300, 3
"""Well-formed wrong codes of all phones in an hour; above that each phone has this many wrong ones in an hour, so that
many phones guess no more and nobody with a voucher is kept out.
"""
KEPT_SECONDS = 366 * 86400.0
"""How long an expired voucher is reported as expired and not as wrong."""


def check_character(body: str) -> str:
    """The last character of a code: sum of place (from 1) times value, modulo 31."""
    return ALPHABET[sum(place * ALPHABET.index(c) for place, c in enumerate(body, 1)) % len(ALPHABET)]


def new_code() -> str:
    """Eleven random characters (54 bits) and a check character, without hyphens."""
    body = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH - 1))
    return body + check_character(body)


def show_code(code: str) -> str:
    """As printed: ``XXXX-XXXX-XXXX``."""
    return "-".join(code[i : i + 4] for i in range(0, LENGTH, 4))


def parse_code(typed: str) -> str | None:
    """The code in what was typed: any case or width, hyphens and blanks ignored; None for anything else."""
    folded = unicodedata.normalize("NFKC", typed[:80]).upper()
    code = "".join(c for c in folded if c not in " -\t‐‑–—ー−")
    if len(code) != LENGTH or any(c not in ALPHABET for c in code):
        return None
    return code if check_character(code[:-1]) == code[-1] else None


@dataclass(frozen=True)
class Batch:
    """Vouchers just made. codes are the only copy: print them. minutes per voucher (0: the spot's)."""

    batch: str
    minutes: int
    valid_until: datetime
    codes: tuple[str, ...] = field(repr=False)


def make_batch(
    store: Store, key: bytes, clock: Clock, audit: AuditSink, *, count: int, minutes: int, valid_days: int
) -> Batch:
    """Make and store ``count`` vouchers (1 to 5,000). Raises ValueError outside that."""
    if not 1 <= count <= 5000:
        raise ValueError("count")
    until = clock.now() + timedelta(days=valid_days)
    batch, codes = secrets.token_hex(4), tuple(new_code() for _ in range(count))
    rows = [(keyed_hash(key, "voucher", code), batch, minutes, until.timestamp()) for code in codes]
    with store.transaction() as connection:
        connection.execute("DELETE FROM voucher WHERE valid_until < ?", (clock.now().timestamp() - KEPT_SECONDS,))
        connection.executemany("INSERT INTO voucher (hash, batch, minutes, valid_until) VALUES (?,?,?,?)", rows)
    audit.record("vouchers_made", batch=batch, count=count)
    return Batch(batch, minutes, until, codes)


class BatchState(NamedTuple):
    """made: without those called back; used: how many of these; minutes each (0: the spot's)."""

    batch: str
    minutes: int
    valid_until: datetime
    made: int
    used: int


def list_batches(store: Store) -> list[BatchState]:
    """Every batch, the one that ends last first."""
    rows = store.rows(
        "SELECT batch, minutes, valid_until, count(*) AS made, count(used_at) AS used FROM voucher"
        " GROUP BY batch, minutes, valid_until ORDER BY valid_until DESC, batch"
    )
    return [
        BatchState(r["batch"], r["minutes"], datetime.fromtimestamp(r["valid_until"], JST), r["made"], r["used"])
        for r in rows
    ]


def call_back(store: Store, audit: AuditSink, batch: str) -> int:
    """Revoke every unused voucher of a batch (a lost sheet) and return how many; open sessions go on."""
    with store.transaction() as connection:
        count = connection.execute("DELETE FROM voucher WHERE batch = ? AND used_at IS NULL", (batch,)).rowcount
    if count:
        audit.record("vouchers_called_back", batch=batch, count=count)
    return count


class Voucher:
    """See LoginMethod. Form: ``voucher``. A voucher is claimed for one phone before the gate is asked; after a crash
    in between it is valid for that phone alone, so no voucher serves two.
    """

    def __init__(self, store: Store, key: bytes, clock: Clock) -> None:
        self._store = store
        self._key = key
        self._clock = clock
        self._attempts = AttemptLimiter(store)

    def attempt(self, visitor: Visitor, form: Mapping[str, str], /) -> Outcome:
        """Claim the voucher for this phone."""
        now = self._clock.now()
        guessed = not self._attempts.allowed(now, "voucher_guess", "", GUESSES_IN_ALL, 3600.0)
        wrong = WRONG_WHILE_GUESSED if guessed else WRONG_PER_HOUR
        if not self._attempts.allowed(now, "voucher_wrong", visitor.phone, wrong, 3600.0):
            return Rejected("error_too_many")
        code = parse_code(form.get("voucher", ""))
        outcome = self._claim(visitor.phone, code) if code else Rejected("error_voucher")
        if outcome == Rejected("error_voucher"):
            self._attempts.take(now, ("voucher_wrong", visitor.phone, WRONG_PER_HOUR, 3600.0))
            if code:
                self._attempts.take(now, ("voucher_guess", "", GUESSES_IN_ALL, 3600.0))
        return outcome

    def _claim(self, phone: str, code: str) -> Outcome:
        wanted, now = keyed_hash(self._key, "voucher", code), self._clock.now().timestamp()
        with self._store.transaction() as connection:
            row = connection.execute("SELECT * FROM voucher WHERE hash = ?", (wanted,)).fetchone()
            if row is None or not hmac.compare_digest(row["hash"], wanted):
                return Rejected("error_voucher")
            if row["valid_until"] < now:
                return Rejected("error_voucher_expired")
            if row["used_at"] is not None or row["claimed_by"] not in (None, phone):
                return Rejected("error_voucher_used")
            connection.execute("UPDATE voucher SET claimed_by = ? WHERE hash = ?", (phone, wanted))
        return Accepted(minutes=row["minutes"], account=f"voucher-{wanted[:32]}", claim=wanted)

    def pending_code(self, _phone: str, /) -> str:
        """See LoginMethod."""
        return ""

    def finish(self, accepted: Accepted, opened: bool, /) -> None:
        """Used up when the gate opened, free again when it refused."""
        with self._store.transaction() as connection:
            if opened:
                connection.execute(
                    "UPDATE voucher SET used_at = ? WHERE hash = ?", (self._clock.now().timestamp(), accepted.claim)
                )
            else:
                connection.execute("UPDATE voucher SET claimed_by = NULL WHERE hash = ?", (accepted.claim,))
