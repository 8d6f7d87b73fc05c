"""Types for what must never be shown: a value that prints as stars, cannot be serialised and can be wiped."""

from __future__ import annotations

import ctypes
import hmac
import re
import sys
import unicodedata
from types import TracebackType
from typing import NoReturn

_STARS = "****"
_LEAST_OWN = 2


def overwrite(value: bytes | str) -> None:
    """Put zeros where CPython keeps ``value``, an object that the caller alone holds: made for this one use, never a
    literal. Text that is not ASCII, and what is shorter than two characters (those objects are shared), stays.
    """
    if len(value) < _LEAST_OWN or (isinstance(value, str) and not value.isascii()):
        return
    ctypes.memset(id(value) + sys.getsizeof(value) - len(value) - 1, 0, len(value))  # the last byte is the closing NUL


class Secret:
    """Bytes that are never shown. Wiped when the ``with`` block ends, or by ``wipe``."""

    __slots__ = ("_value",)

    def __init__(self, value: bytes | bytearray) -> None:
        self._value = bytearray(value)

    def reveal(self) -> bytes:
        """The value itself. Call it at the one place that hands it to hardware or to a hash."""
        return bytes(self._value)

    def wipe(self) -> None:
        """Overwrite with zeros, then forget."""
        for i in range(len(self._value)):
            self._value[i] = 0
        self._value.clear()

    def equals(self, other: bytes) -> bool:
        """Compare in constant time."""
        return hmac.compare_digest(bytes(self._value), other)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({_STARS})"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"{type(self).__name__} is not to be serialised")

    def __enter__(self) -> Secret:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.wipe()


class Pin(Secret):
    """The four-digit PIN of the user-authentication key (docs/sources.md#card-files)."""

    __slots__ = ()

    @classmethod
    def parse(cls, typed: str) -> Pin | None:
        """Full-width digits are folded (NFKC); anything but four digits gives None, so the card never sees it."""
        folded = unicodedata.normalize("NFKC", typed)
        if not re.fullmatch(r"[0-9]{4}", folded, re.ASCII):
            return None
        digits = folded.encode("ascii")
        made = cls(digits)
        overwrite(digits)
        return made
