"""A six-digit code by mail: confirms the address, as the MIC guide requires (docs/sources.md#public-wi-fi).

The address is kept in the mail queue until the mail is sent, then only as a hash keyed with the day.
"""

from __future__ import annotations

import hmac
import re
import secrets
import unicodedata
from collections.abc import Mapping

from captive_portal.portal.languages import Catalogue
from captive_portal.portal.login.method import Accepted, CodeSent, Outcome, Rejected, Visitor
from captive_portal.portal.mail import Mail, MailQueue
from captive_portal.portal.records import DAY_SECONDS, AttemptLimiter
from captive_portal.portal.tokens import keyed_hash
from device.clock import Clock
from device.store import Store

CODE_SECONDS = 600.0
TRIES = 5
HOUR = 3600.0
PER_PHONE_HOUR, PER_PHONE_DAY = 4, 10
PER_ADDRESS_HOUR, PER_ADDRESS_DAY = 3, 6
PER_DOMAIN_HOUR, PER_BOX_HOUR = 120, 400
MAX_ADDRESS_DAY, MAX_DOMAIN_HOUR, MAX_BOX_HOUR = 8, 600, 1200
QUIET_SECONDS = 600.0
"""For the first mail of a phone's day: a domain or a box that others have asked much of is still open to a phone that
asked for none, and a mailbox when none went there for QUIET_SECONDS. It takes a lease for each to get here.
"""
DOTLESS_DOMAINS = {"gmail.com": "gmail.com", "googlemail.com": "gmail.com"}
"""Where dots before the @ are left out, and the name that the mailbox has (support.google.com/mail/answer/7436150)."""

_ADDRESS = re.compile(
    r"([A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64})@((?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63})"
)


def parse_address(typed: str) -> str | None:
    """The address, full-width letters folded and the domain in lower case; None when it is invalid
    (HTML's rule for type=email, with a dot in the domain; at most 254 characters, RFC 5321 §4.5.3.1.3).
    """
    found = _ADDRESS.fullmatch(unicodedata.normalize("NFKC", typed[:400]).strip())
    if not found or len(found[0]) > 254:
        return None
    return f"{found[1]}@{found[2].lower()}"


def mailbox_of(address: str) -> tuple[str, str]:
    """(mailbox, domain) that a mail to this address reaches: letter case and what follows a + (RFC 5233) left out, dots
    where it is known that they do not count.
    """
    local, _, domain = address.lower().rpartition("@")
    local = local.partition("+")[0] or local
    if domain in DOTLESS_DOMAINS:
        local, domain = local.replace(".", "") or local, DOTLESS_DOMAINS[domain]
    return f"{local}@{domain}", domain


def parse_code(typed: str) -> str | None:
    """Six digits, full-width ones folded and blanks left out; None for anything else."""
    folded = re.sub(r"[\s-]", "", unicodedata.normalize("NFKC", typed[:40]))
    return folded if re.fullmatch(r"[0-9]{6}", folded, re.ASCII) else None


class EmailCode:
    """See LoginMethod. First form: ``address``; second form: ``request`` and ``code``."""

    def __init__(
        self, store: Store, key: bytes, clock: Clock, mail_queue: MailQueue, catalogues: Mapping[str, Catalogue]
    ) -> None:
        self._store = store
        self._key = key
        self._clock = clock
        self._mail_queue = mail_queue
        self._catalogues = catalogues
        self._attempts = AttemptLimiter(store)

    def attempt(self, visitor: Visitor, form: Mapping[str, str], /) -> Outcome:
        """Send a code, or check one."""
        if "request" in form:
            return self._check(visitor, form["request"], form.get("code", ""))
        return self._send(visitor, form.get("address", ""))

    def pending_code(self, phone: str, /) -> str:
        """See LoginMethod. An iPhone closes the page when the visitor leaves it to read the mail."""
        found = self._store.rows(
            "SELECT id FROM mailed_code WHERE phone = ? AND expires >= ? AND tries_left > 0 ORDER BY expires DESC",
            (phone, self._clock.now().timestamp()),
        )
        return str(found[0]["id"]) if found else ""

    def finish(self, accepted: Accepted, opened: bool, /) -> None:
        """The code is used up when the gate opened."""
        if opened:
            self._delete(accepted.claim)

    def _send(self, visitor: Visitor, typed: str) -> Outcome:
        address = parse_address(typed)
        if address is None:
            return Rejected("error_address")
        mailbox, domain = mailbox_of(address)
        account = self._day_hash("account", mailbox)
        if not self._may_send(visitor.phone, account, self._day_hash("domain", domain)):
            return Rejected("error_too_many")
        request, code = secrets.token_hex(16), f"{secrets.randbelow(10**6):06}"
        self._save(request, visitor.phone, account, code)
        words = self._catalogues[visitor.language]
        mail = Mail(address, words.plain("mail_subject"), words.plain("mail_body", code=code) + "\n")
        if self._mail_queue.enqueue(mail):
            return CodeSent(request)
        self._delete(request)
        return Rejected("error_mail")

    def _day_hash(self, purpose: str, value: str) -> str:
        """With the day in the key, two days cannot be linked."""
        return keyed_hash(self._key, purpose, self._clock.now().date().isoformat(), value)

    def _may_send(self, phone: str, account: str, domain: str) -> bool:
        now = self._clock.now()
        first = self._attempts.allowed(now, "mail_phone", phone, 1, DAY_SECONDS)
        busy = not self._attempts.allowed(now, "mail_address", account, PER_ADDRESS_HOUR, HOUR)
        limits = [
            ("mail_phone", phone, PER_PHONE_HOUR, HOUR),
            ("mail_phone", phone, PER_PHONE_DAY, DAY_SECONDS),
            ("mail_address", account, MAX_ADDRESS_DAY, DAY_SECONDS),
            ("mail_domain", domain, MAX_DOMAIN_HOUR, HOUR),
            ("mail_box", "", MAX_BOX_HOUR, HOUR),
        ]
        if first and busy:
            limits.append(("mail_address", account, 1, QUIET_SECONDS))
        if not first:
            limits += [
                ("mail_address", account, PER_ADDRESS_HOUR, HOUR),
                ("mail_address", account, PER_ADDRESS_DAY, DAY_SECONDS),
                ("mail_domain", domain, PER_DOMAIN_HOUR, HOUR),
                ("mail_box", "", PER_BOX_HOUR, HOUR),
            ]
        return self._attempts.take(now, *limits)

    def _save(self, request: str, phone: str, account: str, code: str) -> None:
        now = self._clock.now().timestamp()
        row = (request, phone, account, self._hash(request, code), TRIES, now + CODE_SECONDS)
        with self._store.transaction() as connection:
            connection.execute("DELETE FROM mailed_code WHERE expires < ?", (now,))
            connection.execute("INSERT INTO mailed_code VALUES (?,?,?,?,?,?)", row)

    def _delete(self, request: str) -> None:
        with self._store.transaction() as connection:
            connection.execute("DELETE FROM mailed_code WHERE id = ?", (request,))

    def _check(self, visitor: Visitor, request: str, typed: str) -> Outcome:
        """The tries are counted in the transaction that reads the code, so parallel guesses share them."""
        code = parse_code(typed) or ""
        with self._store.transaction() as connection:
            row = connection.execute(
                "SELECT * FROM mailed_code WHERE id = ? AND phone = ? AND expires >= ? AND tries_left > 0",
                (request[:64], visitor.phone, self._clock.now().timestamp()),
            ).fetchone()
            if row is None:
                return Rejected("error_code_over")
            if hmac.compare_digest(row["hash"], self._hash(row["id"], code)):
                return Accepted(account=row["account"], claim=row["id"])
            left = row["tries_left"] - 1
            connection.execute("UPDATE mailed_code SET tries_left = ? WHERE id = ?", (left, row["id"]))
        return Rejected("error_code", {"tries": left}, row["id"]) if left else Rejected("error_code_over")

    def _hash(self, request: str, code: str) -> str:
        return keyed_hash(self._key, "code", request, code)
