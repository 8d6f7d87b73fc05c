"""Which boxes city hall admits, for an issuer on another machine: a list that is asked for every few seconds.

Without a list that is young enough nobody is served. So a revoked box is refused within POLL_SECONDS while the line is
up, and after max_age at the latest.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from device.clock import Clock
from device.logs import Log
from device.sender import LineDown
from provisioning.cityhall.boxes.authority import Peer
from provisioning.cityhall.errors import EnrolmentRefused, NotEnrolled

POLL_SECONDS = 10.0


class AdmittedBoxes:
    """ask: box -> hash of its key, from city hall. max_age: seconds. In memory of one worker alone."""

    def __init__(self, ask: Callable[[], Mapping[str, str]], clock: Clock, log: Log, max_age: float) -> None:
        self._ask, self._clock, self._log, self._max_age = ask, clock, log, max_age
        self._known: tuple[float, Mapping[str, str]] | None = None
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="admitted", daemon=True)

    def refuses(self, peer: Peer) -> str | None:
        """Why this box is not served: a code, or None."""
        known = self._known
        if known is None or self._clock.monotonic() - known[0] > self._max_age:
            return "list_too_old"
        key = known[1].get(peer.box)
        if key is None:
            return "box_not_admitted"
        return None if key == peer.key else "key_differs"

    def refresh(self) -> bool:
        """Ask once; whether there was an answer."""
        asked_at = self._clock.monotonic()
        try:
            self._known = (asked_at, dict(self._ask()))
        except (LineDown, EnrolmentRefused, NotEnrolled) as error:
            if isinstance(error, EnrolmentRefused):
                self._known = None  # city hall has answered: this very box is admitted no more
            self._log.warning("admitted_boxes_unknown", code=error.code)
            return False
        return True

    def start(self) -> None:
        """Ask now and then, until ``stop``."""
        self._thread.start()

    def stop(self) -> None:
        """End asking."""
        self._stopped.set()
        if self._thread.ident is not None:
            self._thread.join(1.0)

    def _run(self) -> None:
        while True:
            self.refresh()
            if self._stopped.wait(POLL_SECONDS):
                return
