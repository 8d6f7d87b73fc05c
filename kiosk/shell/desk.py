"""The desk: who is here, which screen they see, and how that moves. Every change of the visit goes through it.

One lock guards the visit. Slow work (card, issuer, printer) runs without it: it takes the visit by ``begin``, works,
and hands its answer in by ``finish``, which drops it when that visit is no longer the one that stands here.
"""

from __future__ import annotations

import hmac
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from device.audit import AuditSink
from device.clock import Clock
from device.logs import Log
from kiosk.settings import KioskSettings
from kiosk.shell.journey import (
    CARD_LEFT,
    CLOSED,
    HOME,
    STARTED,
    STILL_THERE,
    TROUBLE,
    TROUBLED,
    Event,
    Journey,
    Screen,
    Then,
)
from kiosk.shell.visit import Notice, ServiceVisit, Visit


class Desk:
    """The one visit and its moves. personal: something about a person came into this process since its start."""

    def __init__(self, settings: KioskSettings, journey: Journey, clock: Clock, audit: AuditSink, log: Log) -> None:
        self.settings, self.journey = settings, journey
        self._clock, self._audit, self._log = clock, audit, log
        self._lock = threading.RLock()
        self.revision = 0
        self.personal = False
        self.visit = self._fresh()

    def _fresh(self) -> Visit:
        return Visit(language=self.settings.languages[0])

    @contextmanager
    def held(self) -> Iterator[Visit]:
        """The present visit, while nobody else may change it."""
        with self._lock:
            yield self.visit

    def claim(self, token: str, screen: Screen | None) -> bool:
        """Whether a page's step token is the present one and the page the present screen; each token acts once, so a
        double tap or an old page does nothing.
        """
        with self._lock:
            visit = self.visit
            fits = hmac.compare_digest(visit.token.encode(), token.encode())
            if not fits or (screen is not None and visit.step.screen is not screen):
                return False
            visit.token, visit.touched = secrets.token_urlsafe(16), True
            self.awake()
            return True

    def awake(self) -> None:
        """Someone touched the screen."""
        with self._lock:
            if self.visit.step.screen is not STILL_THERE:
                self.visit.deadline = self._deadline(self.visit)

    def begin(self, *screens: Screen) -> Visit | None:
        """Take the visit for slow work, or None when it is elsewhere or already at work."""
        with self._lock:
            visit = self.visit
            beneath = visit.step.beneath or visit.step.screen
            if visit.busy or beneath not in screens:
                return None
            visit.busy = True
            self.revise()
            return visit

    def finish(self, visit: Visit, event: Event | None = None, notice: Notice | None = None) -> bool:
        """Slow work is over: tell its notice and move. False when the visit ended or left the service meanwhile."""
        with self._lock:
            visit.busy = False
            if visit is not self.visit:
                return False
            visit.notice = notice
            self.revise()
            if event is not None:
                self.move(event)
            return True

    def trouble(self, visit: Visit, code: str, **facts: object) -> bool:
        """The visit cannot go on: wipe it and say why."""
        self._log.info("trouble", code=code)
        return self.finish(visit, TROUBLED, Notice(code, facts))

    def tell(self, code: str, **facts: object) -> None:
        """Tell something on the screen of now."""
        with self._lock:
            self.visit.notice = Notice(code, facts)
            self.revise()

    def enter(self, service: str, part: ServiceVisit) -> bool:
        """The visitor chose a service; ``part`` is its part of the visit. False when the menu is not on the screen."""
        with self._lock:
            entered = self.move(self.journey.entrances[service])
            if entered:
                self.visit.service = part
                self.personal |= part.personal
            return entered

    def move(self, event: Event) -> bool:
        """Let the event happen. True when the screen changed."""
        with self._lock:
            before = self.visit.step
            step = self.journey.after(before, event)
            if step == before:
                return False
            if step.screen is HOME:
                self._end(event.name)
            elif step.screen in (TROUBLE, CLOSED):
                self._let_go(event.name)
            elif before.service and not step.service:
                self.visit = self.visit.left(event.name)
            self.visit.step = step
            self._arrive(event, before.screen)
            return True

    def _arrive(self, event: Event, left: Screen) -> None:
        visit = self.visit
        if event is CARD_LEFT:
            visit.notice = Notice("card.gone")
        elif event is not TROUBLED and visit.step.screen not in (HOME, STILL_THERE):
            visit.notice = visit.notice if left is STILL_THERE else None
        visit.deadline, visit.token = self._deadline(visit), secrets.token_urlsafe(16)
        self.revise()

    def start(self) -> None:
        """Someone touched the first screen."""
        with self._lock:
            if self.move(STARTED):
                self.visit.id = secrets.token_hex(8)
                self._audit.record("visit_started", visit=self.visit.id, language=self.visit.language)

    def speak(self, language: str) -> None:
        """The visitor wants this language."""
        with self._lock:
            self.visit.language = language
            self.revise()

    def show(self, display: str) -> None:
        """Switch "large" or "contrast" on or off, for this visit only."""
        with self._lock:
            visit = self.visit
            visit.large ^= display == "large"
            visit.contrast ^= display == "contrast"
            self.revise()

    def reset(self) -> None:
        """Home with nothing kept: language and display of whoever played with the first screen are forgotten."""
        with self._lock:
            self._end("quiet")
            self.revise()

    def revise(self) -> None:
        """The page of now is to be drawn anew. Its step token stays, so a finger already on its way still counts."""
        with self._lock:
            self.revision += 1

    def _end(self, reason: str) -> None:
        self._let_go(reason)
        self.visit = self._fresh()

    def _let_go(self, reason: str) -> None:
        visit = self.visit
        self.visit = visit.left(reason)
        if visit.id:
            self._audit.record("visit_ended", visit=visit.id, reason=reason)
        self.visit.id = ""

    def _deadline(self, visit: Visit) -> float | None:
        seconds = self._quiet_seconds(visit.step.screen)
        return None if seconds is None else self._clock.monotonic() + seconds

    def _quiet_seconds(self, screen: Screen) -> float | None:
        if screen.quiet is None:
            return None
        site = {"idle": self.settings.idle_seconds, "warning": self.settings.warning_seconds}
        seconds = screen.quiet.seconds
        found = site[seconds] if isinstance(seconds, str) else seconds
        return max(found, self.settings.idle_seconds) if screen.quiet.then is Then.ASK else found
