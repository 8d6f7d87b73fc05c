"""Takes the gate's usage events, again and again, and books them."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import timedelta

from captive_portal.gate.client import GateClient
from captive_portal.gate.errors import GateFault, GateUnreachable
from captive_portal.gate.protocol import UsageEvent
from captive_portal.stats.ledger import close_days, open_days, read_tally, write
from captive_portal.stats.sums import Sums
from captive_portal.stats.tally import Tally, fold
from device.clock import Clock
from device.logs import Log
from device.store import Store

BATCH = 2000
"""Events asked for at once; about 700 KB of JSON, well under protocol.MAX_FRAME."""
_LONGEST_WAIT = timedelta(days=2)
"""So long visitors wait for a gate that does not answer before their day is closed without it."""


class StatsCollector:
    """``start`` makes one thread that collects every ``seconds``; ``turn`` and ``collect`` do it once.

    An event is acknowledged to the gate only by asking for the next batch with the number that was committed here, so
    that a crash between the two gives the same events again, and ``fold`` knows them by their number.
    """

    def __init__(
        self, gate: GateClient, store: Store, clock: Clock, log: Log, *, seconds: float = 20.0, keep_days: int = 1826
    ) -> None:
        self._gate = gate
        self._store = store
        self._clock = clock
        self._log = log
        self._seconds = seconds
        self._keep_days = keep_days
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._reached = True

    def start(self) -> None:
        """Begin to collect."""
        self._thread = threading.Thread(target=self._run, name="stats-collector", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Finish the batch in hand and end."""
        self._stopping.set()
        if self._thread:
            self._thread.join(timeout=10.0)

    def collect(self) -> int:
        """Book everything the gate has now, and close past days. Events booked. Raises GateUnreachable, GateFault."""
        tally, booked, acknowledged = read_tally(self._store), 0, 0
        # Asked with 0 first: an acknowledgement makes the gate write, and there is mostly nothing to acknowledge.
        while events := self._gate.drain_usage(acknowledged, BATCH):
            tally = _restarted(tally, events)
            after, sums = fold(tally, events)
            booked += sum(event.number > tally.number for event in events)
            if after.number != tally.number:
                write(self._store, tally, after, sums)
            elif acknowledged:
                break  # the gate does not hear us
            tally, acknowledged = after, after.number
        self._forget_strays(tally)
        close_days(self._store, self._clock.now().date(), self._keep_days)
        return booked

    def turn(self) -> None:
        """One turn of the thread: collect, or say once that the gate is gone and go on without it."""
        try:
            booked = self.collect()
        except (GateUnreachable, GateFault) as error:
            if self._reached:
                self._log.warning("stats_gate_unreachable", code=error.code)
            self._reached = False
            self._close_waiting_days()
            return
        if not self._reached:
            self._log.info("stats_gate_reached", booked=booked)
        self._reached = True

    def _forget_strays(self, tally: Tally) -> None:
        """Sessions whose end was never told (the gate's database was lost): nobody is online, so neither are they."""
        if tally.live and self._gate.health().online == 0:
            write(self._store, tally, Tally(tally.number, tally.at), Sums())

    def _run(self) -> None:
        while True:
            self.turn()
            if self._stopping.wait(self._seconds):
                return

    def _close_waiting_days(self) -> None:
        """No visitor's key outlives its day for long, even when the gate is gone."""
        before = self._clock.now().date() - _LONGEST_WAIT
        if any(day < before.isoformat() for day in open_days(self._store)):
            close_days(self._store, before, self._keep_days)


def _restarted(tally: Tally, events: Sequence[UsageEvent]) -> Tally:
    """Where to count on from. Not acknowledged events end with the last one counted or later ones; when they end before
    it, the gate lost its database and numbers from 1 again.
    """
    newest = max(event.number for event in events)
    return tally if newest >= tally.number else Tally(0, tally.at, tally.live)
