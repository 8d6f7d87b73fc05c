"""The staff code: kept as a scrypt hash, compared in constant time, slowed down after wrong ones."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import threading
import unicodedata
from dataclasses import dataclass

from device.clock import Clock
from device.errors import HirobaError
from device.secrets import Secret
from kiosk.shell.wrong_codes import Place, Wrong, WrongCodes

_N, _R, _P = 2**14, 8, 1  # RFC 7914 §2; 16 MiB and about 50 ms on the box
MIN_LENGTH = 6
"""Of a code that is made now; one that was made shorter by an earlier release goes on."""
FREE_TRIES = 5
"""The fifth wrong code in a row is the first to cost time."""
FIRST_DELAY = 15.0
LONGEST_DELAY = {Place.PAYMENT: 60.0, Place.STAFF_SCREEN: 300.0}
"""Short, since staff with the right code wait as well: a visitor can never close the payment for more than a minute. At
one guess a minute, day and night, six digits take a year on average, and every guess stands in the audit.
"""
FORGOTTEN_AFTER = 3600.0
"""Seconds after the last wrong code: five free tries an hour are fewer than the waits allow."""


@dataclass(frozen=True)
class Accepted:
    """The code is right."""


@dataclass(frozen=True)
class WrongCode:
    """The code is wrong. seconds: how long none is looked at now (0: the next may be tried at once). wrong: how many
    were wrong in a row, this one counted.
    """

    seconds: float
    wrong: int


@dataclass(frozen=True)
class LockedOut:
    """Too many wrong codes: this one was not looked at. seconds: how long it lasts."""

    seconds: float


CodeCheck = Accepted | WrongCode | LockedOut


def staff_code_of(typed: str) -> Secret:
    """A typed staff code; full-width digits and letters are folded (NFKC)."""
    return Secret(unicodedata.normalize("NFKC", typed).encode())


class StaffCodeShort(HirobaError):
    """A new staff code has too few characters. facts: least."""

    code = "staff_code.short"


def new_staff_code(typed: str) -> Secret:
    """A code that staff are to use from now on. Raises StaffCodeShort."""
    code = staff_code_of(typed)
    if len(code.reveal().decode()) < MIN_LENGTH:
        raise StaffCodeShort(least=MIN_LENGTH)
    return code


def hash_staff_code(code: Secret) -> str:
    """The text for ``staff_code_hash`` in the site file: "scrypt$salt$hash", base64."""
    salt = secrets.token_bytes(16)
    return "$".join(["scrypt", base64.b64encode(salt).decode(), base64.b64encode(_scrypt(code, salt)).decode()])


def matches(code: Secret, kept: str) -> bool:
    """Whether ``code`` is the one behind ``kept``, compared in constant time; an unusable ``kept`` matches nothing."""
    name, _, rest = kept.partition("$")
    salt, _, digest = rest.partition("$")
    try:
        wanted = base64.b64decode(digest, validate=True)
        found = _scrypt(code, base64.b64decode(salt, validate=True))
    except ValueError:
        return False
    return name == "scrypt" and hmac.compare_digest(found, wanted)


class StaffCode:
    """Checks the staff codes typed at one place against one hash. After ``FREE_TRIES`` wrong ones in a row each further
    one makes the next try wait, twice as long each time, up to the place's longest. A code that is typed meanwhile is
    not looked at and does not count. Safe across threads.
    """

    def __init__(self, kept: str, clock: Clock, wrong_codes: WrongCodes) -> None:
        self._kept, self._clock, self._wrong_codes = kept, clock, wrong_codes
        self._open_at: float | None = None
        self._lock = threading.Lock()

    @property
    def place(self) -> Place:
        """Where its codes are typed."""
        return self._wrong_codes.place

    def check(self, code: Secret) -> CodeCheck:
        """Look at one code; it is wiped."""
        with self._lock, code:
            left = self._seconds_left()
            if left > 0:
                return LockedOut(left)
            wrong = self._wrong_before()
            if matches(code, self._kept):
                if wrong:
                    self._wrong_codes.clear()
                return Accepted()
            self._wrong_codes.write(Wrong(wrong + 1, self._clock.now()))
            delay = delay_after(wrong + 1, self.place)
            self._open_at = self._clock.monotonic() + delay
            return WrongCode(delay, wrong + 1)

    def _seconds_left(self) -> float:
        """By the monotonic clock; after a restart, what the time of day leaves of the wait that ran, never more."""
        if self._open_at is None:
            known = self._wrong_codes.read()
            delay = delay_after(known.times, self.place) if known else 0.0
            passed = (self._clock.now() - known.last_at).total_seconds() if known else 0.0
            self._open_at = self._clock.monotonic() + delay - min(max(passed, 0.0), delay)
        return self._open_at - self._clock.monotonic()

    def _wrong_before(self) -> int:
        known = self._wrong_codes.read()
        if known is None or (self._clock.now() - known.last_at).total_seconds() >= FORGOTTEN_AFTER:
            return 0
        return known.times


def facts_of(answer: WrongCode, staff_code: StaffCode) -> dict[str, object]:
    """For the audit: where it was typed, how many were wrong in a row, how many seconds none is looked at now."""
    return {"place": staff_code.place.value, "wrong": answer.wrong, "seconds": answer.seconds}


def delay_after(wrong: int, place: Place) -> float:
    """Seconds without a try after ``wrong`` wrong codes in a row."""
    if wrong < FREE_TRIES:
        return 0.0
    doublings = min(wrong - FREE_TRIES, 16)  # beyond that the longest delay holds anyway
    return float(min(FIRST_DELAY * 2**doublings, LONGEST_DELAY[place]))


def _scrypt(code: Secret, salt: bytes) -> bytes:
    return hashlib.scrypt(code.reveal(), salt=salt, n=_N, r=_R, p=_P, dklen=32)
