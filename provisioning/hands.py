"""Threads that take connections from one queue: what ThreadPoolExecutor does, without a future for each."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Hands(Generic[T]):
    """At most ``most`` threads, each made when there was none to spare. ``work`` must not raise."""

    def __init__(self, most: int, work: Callable[[T], None]) -> None:
        self._most = most
        self._work = work
        self._given: queue.SimpleQueue[T | None] = queue.SimpleQueue()
        self._spare = threading.Semaphore(0)
        self._threads: list[threading.Thread] = []

    def give(self, what: T) -> None:
        """Have a thread work on ``what``, soon. By one thread only."""
        self._given.put(what)
        if len(self._threads) < self._most and not self._spare.acquire(blocking=False):
            thread = threading.Thread(target=self._take, name=f"hand-{len(self._threads)}")
            self._threads.append(thread)
            thread.start()

    def shutdown(self, wait: bool = True) -> None:
        """No more after what was given; with ``wait``, until that is done. As Executor.shutdown."""
        for _ in self._threads:
            self._given.put(None)
        if wait:
            for thread in self._threads:
                thread.join()

    def _take(self) -> None:
        while (what := self._given.get()) is not None:
            self._work(what)
            if len(self._threads) < self._most:
                self._spare.release()
