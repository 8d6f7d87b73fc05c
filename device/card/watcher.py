"""Watches a reader from a thread of its own and tells what changed.

Explicit, owned, and its health can be seen. An error of the reader or of a listener does not end it
(docs/sources.md#pyscard-monitor).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from device.card.presence import CardArrived, CardLeft, CardReader, Presence, PresenceEvent, ReaderChanged
from device.logs import Log, places

_WORKING = frozenset({Presence.EMPTY, Presence.PRESENT})
_HEALTHY_POLLS = 20
_MIN_HEALTHY_SECONDS = 5.0


def changes(before: Presence | None, after: Presence) -> tuple[PresenceEvent, ...]:
    """What happened between two looks, in order; ``before`` None is the first look of all."""
    if before is after:
        return ()
    events: list[PresenceEvent] = []
    if before is Presence.PRESENT:
        events.append(CardLeft())
    if before not in _WORKING or after not in _WORKING:
        events.append(ReaderChanged(Presence.EMPTY if after in _WORKING else after))
    if after is Presence.PRESENT:
        events.append(CardArrived())
    return tuple(events)


class Watcher:
    """Asks ``reader`` every ``poll_seconds`` and hands each event to ``on_event``, from its own thread."""

    def __init__(
        self,
        reader: CardReader,
        poll_seconds: float,
        on_event: Callable[[PresenceEvent], object],
        log: Log | None = None,
    ) -> None:
        self._reader = reader
        self._poll_seconds = poll_seconds
        self._on_event = on_event
        self._log = log
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._presence: Presence | None = None
        self._seen_at: float | None = None

    @property
    def presence(self) -> Presence | None:
        """The state at the last look, None before the first."""
        return self._presence

    @property
    def alive(self) -> bool:
        """Whether the thread runs and has looked lately: in the last 20 polls or 5 seconds, whichever is longer."""
        if self._thread is None or not self._thread.is_alive() or self._seen_at is None:
            return False
        return time.monotonic() - self._seen_at < max(_HEALTHY_POLLS * self._poll_seconds, _MIN_HEALTHY_SECONDS)

    def start(self) -> None:
        """Begin. Call it after any fork; a running watcher stays as it is."""
        if self._thread is not None and self._thread.is_alive():
            return
        self._stop.clear()
        self._presence = None
        self._thread = threading.Thread(target=self._run, name="card-watcher", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End, and wait for the thread. Safe to repeat. Not from ``on_event``."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def look(self) -> None:
        """One look, from the caller's thread: what the thread does again and again."""
        before, self._presence = self._presence, self._reader.presence()
        self._seen_at = time.monotonic()
        for event in changes(before, self._presence):
            try:
                self._on_event(event)
            except Exception as error:
                self._log_error("card_listener_failed", error)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self.look()
            except Exception as error:
                self._log_error("card_watcher_failed", error)
            self._stop.wait(self._poll_seconds)

    def _log_error(self, event: str, error: Exception) -> None:
        if self._log is not None:
            self._log.error(event, error=type(error).__name__, places=places(error))
