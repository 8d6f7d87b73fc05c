"""Time-ordered identifiers: UUID version 7 of RFC 9562 §5.7, with the monotonic counter of §6.2 (method 1).

Python has none before 3.14.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from uuid import UUID

_COUNTER_BITS = 12
_RANDOM_BITS = 62


class Uuid7:
    """Makes ids that only go up, even when the wall clock is set back. ``last``: the highest id already given out."""

    def __init__(self, last: UUID | None = None, random_bits: Callable[[int], int] = secrets.randbits) -> None:
        self._last = last.int if last else 0
        self._random_bits = random_bits
        self._lock = threading.Lock()

    def make(self, unix_ms: int) -> UUID:
        """The next id. ``unix_ms``: milliseconds since 1970 by the wall clock; negative counts as 0."""
        with self._lock:
            ticks = max(unix_ms, 0) << _COUNTER_BITS | self._random_bits(_COUNTER_BITS - 1)  # top bit left to count
            last_ticks = (self._last >> 80) << _COUNTER_BITS | (self._last >> 64) & 0xFFF
            if ticks <= last_ticks:
                ticks = last_ticks + 1  # a full counter carries into the milliseconds (§6.2)
            ms, counter = ticks >> _COUNTER_BITS & (1 << 48) - 1, ticks & 0xFFF
            self._last = ms << 80 | 0x7 << 76 | counter << 64 | 0b10 << 62 | self._random_bits(_RANDOM_BITS)
            return UUID(int=self._last)
