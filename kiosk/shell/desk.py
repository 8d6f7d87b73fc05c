"""The desk: who is here, which screen they see, and how that moves. Every change of the visit goes through it.

One lock guards the visit. Slow work (card, issuer, printer) runs without it: it takes the visit by ``begin``, works,
and hands its answer in by ``finish``, which drops it when that visit is no longer the one that stands here.
"""

from __future__ import annotations

import hmac
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from device.audit import AuditSink
from device.clock import Clock
from device.logs import Log
from kiosk.settings import KioskSettings
from kiosk.shell.journey import VISITING, Event, Screen, after
from kiosk.shell.visit import Message, Visit

Settle = Callable[[Visit, str], None]
"""Told of a visit that is about to be wiped, with the reason, so that a pending request is settled."""

TROUBLE_SECONDS = 30.0
TAKE_SECONDS = 120.0
DONE_SECONDS = 10.0
PAY_SECONDS = 180.0


class Desk:
    """The one visit and its moves."""

    def __init__(self, settings: KioskSettings, clock: Clock, audit: AuditSink, log: Log) -> None:
        self.settings, self._clock, self._audit, self._log = settings, clock, audit, log
        self._lock = threading.RLock()
        self._settle: Settle = lambda _visit, _reason: None
        self.revision = 0
        self.visit = self._fresh()

    def on_end(self, settle: Settle) -> None:
        """Who settles the request of a visit that ends."""
        self._settle = settle

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
            if self.visit.step.screen is not Screen.STILL_THERE:
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

    def finish(self, visit: Visit, event: Event | None = None, message: Message | None = None) -> bool:
        """Slow work is over: tell its message and move. False when the visit ended meanwhile."""
        with self._lock:
            visit.busy = False
            if visit is not self.visit:
                return False
            visit.message = message
            self.revise()
            if event is not None:
                self.move(event)
            return visit is self.visit

    def trouble(self, visit: Visit, code: str, **facts: object) -> bool:
        """The visit cannot go on: wipe it and say why."""
        self._log.info("trouble", code=code)
        return self.finish(visit, Event.TROUBLED, Message(code, facts))

    def notice(self, code: str, **facts: object) -> None:
        """Tell something on the screen of now."""
        with self._lock:
            self.visit.message = Message(code, facts)
            self.revise()

    def move(self, event: Event) -> bool:
        """Let the event happen. True when the screen changed."""
        with self._lock:
            visit, before = self.visit, self.visit.step
            step = after(before, event)
            if step == before:
                return False
            visit.step = step
            if step.screen is Screen.HOME:
                self._end(event.value)
            elif step.screen in (Screen.TROUBLE, Screen.CLOSED):
                self._let_go(event.value)
            self._arrive(event, before.screen)
            return True

    def _arrive(self, event: Event, left: Screen) -> None:
        visit = self.visit
        if event is Event.CARD_LEFT:
            visit.message = Message("card.gone")
        elif event is not Event.TROUBLED and visit.step.screen not in (Screen.HOME, Screen.STILL_THERE):
            visit.message = visit.message if left is Screen.STILL_THERE else None
        visit.deadline, visit.token = self._deadline(visit), secrets.token_urlsafe(16)
        self.revise()

    def start(self) -> None:
        """Someone touched the first screen."""
        with self._lock:
            if self.move(Event.STARTED):
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
        if visit.id:
            self._settle(visit, reason)
            self._audit.record("visit_ended", visit=visit.id, reason=reason)
        visit.id = ""
        visit.wipe()

    def _deadline(self, visit: Visit) -> float | None:
        seconds = self._quiet_seconds(visit.step.screen)
        return None if seconds is None else self._clock.monotonic() + seconds

    def _quiet_seconds(self, screen: Screen) -> float | None:
        special = {
            Screen.STILL_THERE: self.settings.warning_seconds,
            Screen.PAY: max(PAY_SECONDS, self.settings.idle_seconds),
            Screen.TAKE_ITEMS: TAKE_SECONDS,
            Screen.DONE: DONE_SECONDS,
            Screen.TROUBLE: TROUBLE_SECONDS,
        }
        if screen in special:
            return special[screen]
        return self.settings.idle_seconds if screen in (Screen.HOME, Screen.CLOSED, Screen.STAFF, *VISITING) else None
