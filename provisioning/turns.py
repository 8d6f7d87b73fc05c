"""Who may be in a thread: of one address at most so many at once, the others in the order they came.

A thread that reads from inside TLS waits for a phone's bytes, so one phone could hold them all.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass
class _Address(Generic[T]):
    inside: int = 0
    waiting: deque[T] = field(default_factory=deque)


class Turns(Generic[T]):
    """``most`` of one address inside at once, and ``queue`` that wait; ``close``: what becomes of one too many.
    Addresses without anything inside are forgotten.
    """

    def __init__(self, most: int, queue: int, close: Callable[[T], None]) -> None:
        self._most, self._queue, self._close = most, queue, close
        self._addresses: dict[str, _Address[T]] = {}
        self._lock = threading.Lock()

    def take(self, address: str, what: T) -> bool:
        """Whether ``what`` may go now; else it waits, or is closed. Each that went ends with ``after``."""
        with self._lock:
            held = self._addresses.setdefault(address, _Address())
            if held.inside < self._most:
                held.inside += 1
                return True
            if len(held.waiting) < self._queue:
                held.waiting.append(what)
                return False
        self._close(what)
        return False

    def after(self, address: str) -> T | None:
        """One of this address is through: the next that may go in its place, if any waits."""
        with self._lock:
            held = self._addresses[address]
            if held.waiting:
                return held.waiting.popleft()
            held.inside -= 1
            if not held.inside:
                del self._addresses[address]
            return None
