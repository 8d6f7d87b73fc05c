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
from device.secrets import Secret

_N, _R, _P = 2**14, 8, 1  # RFC 7914 §2; 16 MiB and about 50 ms on the box
_FREE_TRIES = 5
_FIRST_DELAY = 30.0
_LONGEST_DELAY = 3600.0


@dataclass(frozen=True)
class Accepted:
    """The code is right."""


@dataclass(frozen=True)
class WrongCode:
    """The code is wrong. seconds: how long none is looked at now (0: the next may be tried at once)."""

    seconds: float


@dataclass(frozen=True)
class LockedOut:
    """Too many wrong codes: this one was not looked at. seconds: how long it lasts."""

    seconds: float


CodeCheck = Accepted | WrongCode | LockedOut


def staff_code_of(typed: str) -> Secret:
    """A typed staff code; full-width digits and letters are folded (NFKC)."""
    return Secret(unicodedata.normalize("NFKC", typed).encode())


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
    """Checks staff codes against one hash. After five wrong ones each further one doubles the delay, from 30 s to an
    hour. Safe across threads.
    """

    def __init__(self, kept: str, clock: Clock) -> None:
        self._kept = kept
        self._clock = clock
        self._wrong = 0
        self._open_at = 0.0
        self._lock = threading.Lock()

    def check(self, code: Secret) -> CodeCheck:
        """Look at one code; it is wiped."""
        with self._lock, code:
            left = self._open_at - self._clock.monotonic()
            if left > 0:
                return LockedOut(left)
            if matches(code, self._kept):
                self._wrong = 0
                return Accepted()
            self._wrong += 1
            delay = delay_after(self._wrong)
            self._open_at = self._clock.monotonic() + delay
            return WrongCode(delay)


def delay_after(wrong: int) -> float:
    """Seconds without a try after ``wrong`` wrong codes in a row."""
    if wrong < _FREE_TRIES:
        return 0.0
    doublings = min(wrong - _FREE_TRIES, 16)  # beyond that the longest delay holds anyway
    return float(min(_FIRST_DELAY * 2**doublings, _LONGEST_DELAY))


def _scrypt(code: Secret, salt: bytes) -> bytes:
    return hashlib.scrypt(code.reveal(), salt=salt, n=_N, r=_R, p=_P, dklen=32)
