"""Collects the gate's usage events and adds them to the statistics' database."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import timedelta

from captive_portal.gate.client import GateClient
from captive_portal.gate.errors import GateFault, GateUnreachable
from captive_portal.gate.protocol import UsageEvent
from captive_portal.stats.database import close_days, mark_collected, open_days, read_event_state, write
from captive_portal.stats.event_state import EventState, add_events
from captive_portal.stats.totals import UsageTotals
from device.clock import Clock
from device.logs import Log
from device.store import Store

BATCH = 2000
"""Events asked for at once; about 700 KB of JSON, well under protocol.MAX_FRAME."""
_MAX_WAIT = timedelta(days=2)
"""After this time a day is closed even when the gate does not answer."""


class StatsCollector:
    """``start`` runs one thread that collects every ``seconds``; ``run_once`` and ``collect`` do it once.

    An event is acknowledged to the gate only by asking for the next batch with the number that was committed here, so
    that after a crash between the two the same events come again, and ``add_events`` skips them by their number.
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
        """Finish the present batch and end the thread."""
        self._stopping.set()
        if self._thread:
            self._thread.join(timeout=10.0)

    def collect(self) -> int:
        """Add all events that the gate has now, and close past days. The number of events. Raises GateUnreachable,
        GateFault.
        """
        state, booked, acknowledged = read_event_state(self._store), 0, 0
        # 0 in the first request: an acknowledgement makes the gate write, and mostly there is nothing to acknowledge.
        while events := self._gate.drain_usage(acknowledged, BATCH):
            state = _restarted(state, events)
            after, totals = add_events(state, events)
            booked += sum(event.number > state.number for event in events)
            if after.number != state.number:
                write(self._store, state, after, totals)
            elif acknowledged:
                break  # the gate does not process acknowledgements
            state, acknowledged = after, after.number
        self._drop_lost_sessions(state)
        today = self._clock.now().date()
        mark_collected(self._store, today)
        close_days(self._store, today, self._keep_days)
        return booked

    def run_once(self) -> None:
        """Collect; when the gate is unreachable, log that once and close days that have waited too long."""
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

    def _drop_lost_sessions(self, state: EventState) -> None:
        """Drop live sessions whose end event was lost with the gate's database: when the gate has none online."""
        if state.live and self._gate.health().online == 0:
            write(self._store, state, EventState(state.number, state.at), UsageTotals())

    def _run(self) -> None:
        while True:
            self.run_once()
            if self._stopping.wait(self._seconds):
                return

    def _close_waiting_days(self) -> None:
        """Visitors' keys are deleted after _MAX_WAIT, even when the gate is unreachable."""
        before = self._clock.now().date() - _MAX_WAIT
        if any(day < before.isoformat() for day in open_days(self._store)):
            close_days(self._store, before, self._keep_days)


def _restarted(state: EventState, events: Sequence[UsageEvent]) -> EventState:
    """The state to continue from. Unacknowledged events include the last one counted or later ones; when all numbers
    are lower, the gate lost its database and counts from 1 again.
    """
    newest = max(event.number for event in events)
    return state if newest >= state.number else EventState(0, state.at, state.live)
