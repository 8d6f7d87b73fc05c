"""Draws the page of the present screen, and nothing else: a URL of another screen leads to the present one."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from device.catalogue import name_in
from kiosk.settings import CitySettings
from kiosk.shell.desk import Desk
from kiosk.shell.journey import Screen, Step
from kiosk.shell.visit import Visit
from kiosk.shell.words import Words

Context = Callable[[Visit], dict[str, object]]


class Pages:
    """The way from the desk to HTML."""

    def __init__(self, desk: Desk, words: Words, city: CitySettings) -> None:
        self._desk, self._words, self._city = desk, words, city

    def now(self) -> Response:
        """To the present screen (303, so that a reload sends nothing again)."""
        with self._desk.held() as visit:
            return redirect(visit.step.screen.path, code=303)

    def fault(self) -> Response:
        """Something of ours broke: the visit ends with a trouble that says so; if even that fails, home."""
        with self._desk.held() as visit:
            failed = visit.step.screen
            self._desk.trouble(visit, "general")
            if self._desk.visit.step.screen is failed:
                self._desk.reset()
            return self.now()

    def claimed(self, screen: Screen | None = None) -> bool:
        """Whether the form that was sent belongs to the page of now."""
        return self._desk.claim(request.form.get("token", ""), screen)

    def show(self, screen: Screen, context: Context = lambda _visit: {}) -> str | Response:
        """The page of ``screen`` if it is the present one, with what ``context`` adds; else the way there."""
        with self._desk.held() as visit:
            if visit.step.screen is not screen:
                return self.now()
            return render_template(f"{screen.name}.html", **self._frame(visit), **context(visit))

    def _frame(self, visit: Visit) -> dict[str, object]:
        """What every page carries. state: the service's part of the visit."""
        steps, step = self._bar(visit.step)
        return {
            "t": partial(self._words.text, visit.language),
            "trouble": partial(self._words.trouble, visit.language),
            "visit": visit,
            "state": visit.service,
            "screen": visit.step.screen,
            "service": visit.step.owner,
            "revision": self._desk.revision,
            "languages": [(name, self._words.text(name, "language.name")) for name in self._words.languages],
            "city": name_in(visit.language, self._city.name_ja, self._city.name_en),
            "telephone": self._city.telephone,
            "steps": steps,
            "step": step,
            "static": partial(url_for, "static"),
        }

    def _bar(self, step: Step) -> tuple[list[str], int]:
        """The names of the steps above the page, and the number of the present one from 1; 0: no bar."""
        journey = self._desk.journey.services.get(step.owner)
        names = [name for name, _ in journey.steps] if journey else []
        places = (
            [place for place, (_, screens) in enumerate(journey.steps, 1) if step.screen in screens] if journey else []
        )
        return names, places[0] if places else 0
