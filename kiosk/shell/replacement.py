"""The process that served a visit with personal data ends after it, and another one serves the next visitor: whatever
Python, its libraries or the network's buffers still hold of a name or a PIN goes with it (N5).

It happens while nobody is served and nothing of the visit is left to do. The next process shows the same page: step
token, revision and what is known of the hardware are handed over, and none of them is about a person.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import msgspec

from kiosk.shell.desk import Desk
from kiosk.shell.journey import CLOSED, HOME
from kiosk.shell.readiness import Readiness

HandOver = Callable[[Callable[[], bytes | None]], bool]
"""(leave): ask ``leave`` what to hand over, None to go on; True when this process now ends in favour of the next."""


class _Left(msgspec.Struct, frozen=True):
    token: str
    revision: int
    told: dict[str, str]


class Replacement:
    """hand_over None: this process serves for ever (tests, the simulator). idle: nothing of a visit is being done."""

    def __init__(
        self,
        desk: Desk,
        readiness: Readiness,
        idle: Callable[[], bool],
        stopping: threading.Event,
        hand_over: HandOver | None,
    ) -> None:
        self._desk, self._readiness, self._idle = desk, readiness, idle
        self._stopping, self._hand_over = stopping, hand_over

    def tick(self) -> None:
        """One round: end this process if it is time."""
        wanted = self._hand_over is not None and self._desk.personal and not self._stopping.is_set()
        if wanted and self._hand_over is not None and self._hand_over(self._leave):
            self._stopping.set()

    def _leave(self) -> bytes | None:
        with self._desk.held() as visit:
            rests = visit.step.screen in (HOME, CLOSED) and not visit.touched and not visit.busy
            if not rests or not self._idle():
                return None
            return msgspec.json.encode(_Left(visit.token, self._desk.revision, self._readiness.told()))

    def resume(self, left: bytes) -> bool:
        """Go on where the former process handed over; False when it did not."""
        try:
            found = msgspec.json.decode(left, type=_Left)
        except msgspec.DecodeError:
            return False
        self._readiness.resume(found.told)
        with self._desk.held() as visit:
            visit.token, self._desk.revision = found.token, found.revision
        return True
