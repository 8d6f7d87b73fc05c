"""Someone at the running demo who looks at the screen and presses controls."""

from __future__ import annotations

import time
from collections.abc import Callable

from device.card.virtual import process as card
from provisioning.demo.plain_browser import PlainBrowser
from provisioning.demo.plaza import Plaza
from provisioning.virtual import VirtualFolder

LONGEST_WAIT_SECONDS = 120.0


class PlazaVisitor(PlainBrowser):
    """A PlainBrowser that can wait, and that has a card."""

    def __init__(self, plaza: Plaza) -> None:
        super().__init__(plaza.address)
        self._card = VirtualFolder(plaza.folder).card_state

    def wait_for(self, seen: Callable[[], bool], what: str) -> None:
        """Look again until ``seen``. Raises AssertionError that tells the screen and ``what`` was awaited."""
        deadline = time.monotonic() + LONGEST_WAIT_SECONDS
        while not seen():
            assert time.monotonic() < deadline, f"still {self.screen!r} {self.marks()}, not {what}"
            time.sleep(0.05)
            self.look()

    def look(self) -> None:
        """Show the present screen; a kiosk that is just starting again shows none."""
        try:
            self.open("/")
        except OSError:
            self.screen = ""

    def wait_screen(self, screen: str) -> None:
        """Until ``screen`` shows."""
        self.wait_for(lambda: self.screen == screen, screen)

    def wait_mark(self, mark: str) -> None:
        """Until the page carries ``mark``."""
        self.wait_for(lambda: mark in self.page, mark)

    def wait_ready(self) -> None:
        """Until the first screen shows with nothing in the way."""
        self.wait_for(lambda: self.screen == "home" and "data-notice" not in self.page, "home without a notice")

    def go_home(self) -> None:
        """Leave whatever the one before left on the screen."""
        self.look()
        for action in ("taken", "home"):
            if action in self.controls:
                self.press(action)

    def marks(self) -> list[str]:
        """The error codes on the page."""
        return [
            part for part in self.page.replace(">", " ").split() if part.startswith(("data-trouble", "data-notice"))
        ]

    def lay(self, name: str) -> None:
        """Put the card ``name`` on the reader."""
        card.insert(self._card, name)

    def lift(self) -> None:
        """Take the card away."""
        card.remove(self._card)

    def go_to(self, last: str, pin: str = "1234", name: str = "demo") -> None:
        """From the first screen to ``last`` with the demo's card, for oneself alone."""
        steps: list[tuple[str, Callable[[], None]]] = [
            ("services", lambda: self.press("start")),
            ("place_card", lambda: self.press("certificates")),
            ("enter_pin", lambda: self.lay(name)),
            ("choose_certificate", lambda: self.press("enter", pin=pin)),
            ("choose_options", lambda: self.press("choose-residence_record")),
            ("confirm", lambda: self.press("next")),
            ("pay", lambda: self.press("confirm")),
            ("printing", lambda: self.press("pay")),
        ]
        self.wait_ready()
        for screen, act in steps:
            act()
            self.wait_screen(screen)
            if screen == last:
                return
