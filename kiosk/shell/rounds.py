"""The kiosk's own threads: named, owned, stopped and joined; an error in one is told and never ends it silently."""

from __future__ import annotations

import threading
from collections.abc import Callable

from device.logs import Log, places

JOIN_SECONDS = 15.0


class Workers:
    """Threads that ``stop`` waits for. ``stopping`` is set first."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._threads: list[threading.Thread] = []
        self._once: list[threading.Thread] = []
        self._lock = threading.Lock()
        self.stopping = threading.Event()

    def spawn(self, name: str, work: Callable[[], None]) -> None:
        """Do ``work`` once in a thread of its own."""
        self._start(name, work, self._once)

    def spawn_rounds(self, name: str, rounds: Callable[[], None]) -> None:
        """Do what lasts until ``stopping`` in a thread of its own."""
        self._start(name, rounds, self._threads)

    def idle(self) -> bool:
        """Whether nothing is being done but rounds."""
        with self._lock:
            return not any(thread.is_alive() for thread in self._once)

    def _start(self, name: str, work: Callable[[], None], among: list[threading.Thread]) -> None:
        thread = threading.Thread(target=self._guarded, args=(name, work), name=name, daemon=True)
        with self._lock:
            among[:] = [known for known in among if known.is_alive()]
            among.append(thread)
            thread.start()

    def stop(self) -> None:
        """Tell all to end and wait for them, so long at most."""
        self.stopping.set()
        with self._lock:
            threads = [*self._threads, *self._once]
        for thread in threads:
            thread.join(JOIN_SECONDS)

    def _guarded(self, name: str, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:
            self._log.error("worker_failed", worker=name, error=type(error).__name__, places=places(error))


class Rounds:
    """Work that is done again and again until the workers stop."""

    def __init__(self, workers: Workers, log: Log) -> None:
        self._workers, self._log = workers, log

    def run(
        self, name: str, seconds: float, work: Callable[[], object], first: Callable[[], object] | None = None
    ) -> None:
        """Begin rounds of ``work`` with a pause of ``seconds`` between them; ``first`` comes once before."""

        def rounds() -> None:
            if first is not None:
                self._once(name, first)
            while not self._workers.stopping.is_set():
                self._once(name, work)
                self._workers.stopping.wait(seconds)

        self._workers.spawn_rounds(name, rounds)

    def once(self, name: str, work: Callable[[], object]) -> None:
        """Do ``work`` one time."""
        self._workers.spawn(name, lambda: self._once(name, work))

    def _once(self, name: str, work: Callable[[], object]) -> None:
        try:
            work()
        except Exception as error:
            self._log.error("round_failed", round=name, error=type(error).__name__, places=places(error))
