"""Empties the outbox through a port: batches in order, acknowledged ids deleted, waits that grow without an answer."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from device.errors import HirobaError
from device.logs import Log
from device.outbox import MAX_IN_BATCH, Message, Outbox

Post = Callable[[Sequence[Message]], Collection[str]]
"""Sends one batch; the ids that the service settled, stored or refused for good. Raises LineDown when there is none."""


class LineDown(HirobaError):
    """City hall did not answer, or answered with a fault. facts: reason."""

    code = "cityhall.unreachable"


@dataclass(frozen=True)
class Backoff:
    """Waits between tries, seconds. Full jitter: a fleet that lost its line together does not come back together."""

    min_seconds: float = 5.0
    max_seconds: float = 900.0

    def wait(self, failures: int, chance: float) -> float:
        """Seconds before the next try after ``failures`` (from 1) in a row. chance: evenly from [0, 1)."""
        ceiling = min(self.max_seconds, self.min_seconds * 2.0 ** min(failures, 32))
        return self.min_seconds + (ceiling - self.min_seconds) * chance


@dataclass
class Sender:
    """Sends until empty, then looks again every ``idle_seconds``."""

    outbox: Outbox
    post: Post
    log: Log
    backoff: Backoff = Backoff()
    idle_seconds: float = 30.0
    chance: Callable[[], float] = random.random
    failures: int = 0

    def round(self) -> float:
        """Send one batch. The seconds to wait before the next round: 0 when more is waiting."""
        batch = self.outbox.batch()
        if not batch:
            return self.idle_seconds
        try:
            settled = set(self.post(batch))
        except LineDown as error:
            return self._failed(error)
        self.outbox.acknowledged(settled)
        if not settled.intersection(m.id for m in batch):
            return self._failed(LineDown(reason="nothing_settled"))
        self.failures = 0
        return 0.0 if len(batch) == MAX_IN_BATCH else self.idle_seconds

    def tell(self, message: Message) -> int:
        """Send one that was just made; it touches the card only when it cannot go at once, or not before others.
        Messages waiting now. A crash before this returns loses at most what nobody has heard of yet.
        """
        if self.outbox.waiting():
            self.outbox.keep(message)
            return self.flush()
        try:
            if message.id in self.post((message,)):
                self.failures = 0
                return 0
            self._failed(LineDown(reason="nothing_settled"))
        except LineDown as error:
            self._failed(error)
        self.outbox.keep(message, offered=True)
        return self.outbox.waiting()

    def flush(self) -> int:
        """Send all there is, stopping at the first failure; messages still waiting."""
        while self.round() == 0.0:
            pass
        return self.outbox.waiting()

    def run(self, stop: threading.Event) -> None:
        """Rounds until ``stop`` is set."""
        while not stop.wait(self.round()):
            pass

    def _failed(self, error: LineDown) -> float:
        self.failures += 1
        if self.failures == 1:
            self.log.warning("cityhall_unreachable", reason=error.facts.get("reason"))
        return self.backoff.wait(self.failures, self.chance())
