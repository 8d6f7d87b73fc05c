"""Draws the page of the present screen, and nothing else: a URL of another screen leads to the present one."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from device.catalogue import name_in
from kiosk.settings import CitySettings
from kiosk.shell.desk import Desk
from kiosk.shell.journey import Screen
from kiosk.shell.visit import Visit
from kiosk.shell.words import Words

STEPS = ("card", "pin", "choose", "pay", "take")
STEP_OF = {
    Screen.PLACE_CARD: 1,
    Screen.ENTER_PIN: 2,
    Screen.CHOOSE_CERTIFICATE: 3,
    Screen.CHOOSE_OPTIONS: 3,
    Screen.CONFIRM: 3,
    Screen.PAY: 4,
    Screen.PRINTING: 5,
    Screen.TAKE_ITEMS: 5,
}
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
            if not self._desk.trouble(visit, "general") or visit.step.screen is failed:
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
            return render_template(f"{screen.value}.html", **self._frame(visit), **context(visit))

    def _frame(self, visit: Visit) -> dict[str, object]:
        """What every page carries."""
        return {
            "t": partial(self._words.text, visit.language),
            "trouble": partial(self._words.trouble, visit.language),
            "visit": visit,
            "screen": visit.step.screen,
            "revision": self._desk.revision,
            "languages": [(name, self._words.text(name, "language.name")) for name in self._words.languages],
            "city": name_in(visit.language, self._city.name_ja, self._city.name_en),
            "telephone": self._city.telephone,
            "steps": STEPS,
            "step": STEP_OF.get(visit.step.screen, 0),
            "static": partial(url_for, "static"),
        }
