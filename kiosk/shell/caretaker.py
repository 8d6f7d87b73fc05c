"""Looks after the desk while nobody touches it: the clock, the opening hours, the alarm, causes that went away.

``Caretaker.tick`` is one round, called by a thread that wiring owns and by tests by hand. ``look`` asks the
slow things (reader, printer, issuer) in rounds of its own.
"""

from __future__ import annotations

from collections.abc import Callable

from device.clock import Clock
from kiosk.services.certificates.paper_steps import PaperSteps
from kiosk.shell.alarm import Alarm
from kiosk.shell.desk import Desk
from kiosk.shell.journey import Event, Screen
from kiosk.shell.readiness import ENVIRONMENT, Readiness

SHOWN_SECONDS = 5.0
"""A trouble stays on the screen for so long at least, though its cause went away at once."""


class Caretaker:
    """The quiet work beside the visitor."""

    def __init__(self, desk: Desk, clock: Clock, readiness: Readiness, alarm: Alarm, paper: PaperSteps) -> None:
        self._desk, self._clock, self._readiness = desk, clock, readiness
        self._alarm, self._paper = alarm, paper
        self._trouble_since: float | None = None
        self._recovering = False

    def hold(self) -> None:
        """Serve nobody until ``recover`` is through."""
        self._recovering = True

    def recover(self, work: Callable[[], object]) -> None:
        """Bring to rest what a crash left behind, before anybody is served."""
        self.hold()
        try:
            work()
        finally:
            self._recovering = False

    def tick(self) -> None:
        """One round: fee, alarm and hours, recovery, quiet. Never waits for anything but the terminal's answer."""
        self._paper.poll_payment()
        alarm = self._alarm.closed
        with self._desk.held():
            self._keep_hours(alarm)
            self._recover()
            self._mind_quiet()

    def look(self) -> None:
        """One round of asking reader, printer and issuer; the first screen is drawn anew when the answer changed."""
        before = self._readiness.latest
        after = self._readiness.check()
        with self._desk.held() as visit:
            if before != after and visit.step.screen in (Screen.HOME, Screen.STAFF):
                self._desk.revise()

    def _keep_hours(self, alarm: bool) -> None:
        closed = alarm or self._recovering or not self._readiness.within_hours()
        if alarm:
            self._desk.move(Event.ALARMED)
        self._desk.move(Event.CLOSING if closed else Event.OPENING)

    def _recover(self) -> None:
        visit, now = self._desk.visit, self._clock.monotonic()
        if visit.step.screen is not Screen.TROUBLE:
            self._trouble_since = None
            return
        self._trouble_since = now if self._trouble_since is None else self._trouble_since
        code = visit.message.code if visit.message else ""
        shown = now - self._trouble_since >= SHOWN_SECONDS
        if shown and code.startswith(ENVIRONMENT) and self._readiness.latest is None:
            self._desk.move(Event.RECOVERED)

    def _mind_quiet(self) -> None:
        visit = self._desk.visit
        if visit.busy or visit.deadline is None or self._clock.monotonic() < visit.deadline:
            if visit.deadline is None:
                self._desk.awake()
            return
        if visit.step.screen in (Screen.HOME, Screen.CLOSED):
            self._forget_play(visit.step.screen)
        else:
            self._desk.move(Event.QUIET)

    def _forget_play(self, screen: Screen) -> None:
        """Language and display that a passer-by chose."""
        if self._desk.visit.touched:
            self._desk.reset()
            self._desk.move(Event.CLOSING if screen is Screen.CLOSED else Event.OPENING)
        else:
            self._desk.awake()
