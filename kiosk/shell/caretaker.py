"""Looks after the desk while nobody touches it: the clock, the opening hours, the alarm, causes that went away.

``Caretaker.tick`` is one round, called by a thread that wiring owns and by tests by hand. ``look`` asks the
slow things (reader, printer, issuer) in rounds of its own.
"""

from __future__ import annotations

from collections.abc import Callable

from device.clock import Clock
from kiosk.shell.alarm import Alarm
from kiosk.shell.desk import Desk
from kiosk.shell.journey import ALARMED, CLOSED, CLOSING, OPENING, QUIET, RECOVERED, TROUBLE, Screen, Then
from kiosk.shell.menu import Menu
from kiosk.shell.readiness import ENVIRONMENT, Readiness

SHOWN_SECONDS = 5.0
"""A trouble stays on the screen for so long at least, though its cause went away at once."""


class Caretaker:
    """The quiet work beside the visitor."""

    def __init__(self, desk: Desk, clock: Clock, readiness: Readiness, alarm: Alarm, menu: Menu) -> None:
        self._desk, self._clock, self._readiness = desk, clock, readiness
        self._alarm, self._menu = alarm, menu
        self._trouble_since: float | None = None
        self._recovering: set[str] = set()

    def hold(self, name: str) -> None:
        """Serve nobody until ``recover`` of this name is through."""
        self._recovering.add(name)

    def recover(self, name: str, work: Callable[[], object]) -> None:
        """Bring to rest what a crash left behind in a service, before anybody is served."""
        self.hold(name)
        try:
            work()
        finally:
            self._recovering.discard(name)

    def tick(self) -> None:
        """One round: the present service, alarm and hours, recovery, quiet. Never waits for anything."""
        self._menu.tick()
        alarm = self._alarm.closed
        with self._desk.held():
            self._keep_hours(alarm)
            self._recover_from_trouble()
            self._check_idle()

    def look(self) -> None:
        """One round of asking reader, printer and issuer; a screen that shows it is drawn anew at a change."""
        changed = self._readiness.look()
        with self._desk.held() as visit:
            step = visit.step
            if changed and step.screen.shows_readiness:
                self._desk.revise()
            code = self._readiness.blocking(step.service) if step.service and step.screen.needs_ready else None
            if code is not None and self._desk.begin(step.screen) is visit:
                self._desk.trouble(visit, code)

    def _keep_hours(self, alarm: bool) -> None:
        closed = alarm or bool(self._recovering) or not self._readiness.within_hours()
        if alarm:
            self._desk.move(ALARMED)
        self._desk.move(CLOSING if closed else OPENING)

    def _recover_from_trouble(self) -> None:
        visit, now = self._desk.visit, self._clock.monotonic()
        if visit.step.screen is not TROUBLE:
            self._trouble_since = None
            return
        self._trouble_since = now if self._trouble_since is None else self._trouble_since
        code = visit.notice.code if visit.notice else ""
        shown = now - self._trouble_since >= SHOWN_SECONDS
        if shown and code.startswith(ENVIRONMENT) and not self._readiness.stands(code):
            self._desk.move(RECOVERED)

    def _check_idle(self) -> None:
        visit = self._desk.visit
        if visit.busy or visit.deadline is None or self._clock.monotonic() < visit.deadline:
            if visit.deadline is None:
                self._desk.awake()
            return
        quiet = visit.step.screen.quiet
        if quiet is not None and quiet.then is Then.FORGET:
            self._forget_choices(visit.step.screen)
        else:
            self._desk.move(QUIET)

    def _forget_choices(self, screen: Screen) -> None:
        """Language and display that a passer-by chose."""
        if self._desk.visit.touched:
            self._desk.reset()
            self._desk.move(CLOSING if screen is CLOSED else OPENING)
        else:
            self._desk.awake()
