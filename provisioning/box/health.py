"""Waits until health checks hold: asked again and again until they do, or until time is up."""

from __future__ import annotations

import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from device.clock import Clock, SystemClock

Check = Callable[[], str]
"""One look: "" when healthy, else what is wrong (a program's name or an address, never personal)."""
TIMES = 3
"""Looks in a row that must be good: a program that dies at once is healthy for a moment."""
_LOOK_SECONDS = 10


class Hopeless(str):
    """What is wrong and will not mend by waiting."""

    __slots__ = ()


def url_check(url: str) -> Check:
    """Healthy when ``url`` answers 200 (redirects followed)."""

    def look() -> str:
        if not url.startswith(("http://", "https://")):  # urllib opens files, too
            return Hopeless(f"{url}: not http")
        try:
            with urllib.request.urlopen(url, timeout=_LOOK_SECONDS) as answer:  # noqa: S310 - staff wrote the address
                return "" if answer.status == 200 else f"{url}: {answer.status}"
        except urllib.error.HTTPError as error:
            return f"{url}: {error.code}"
        except OSError as error:
            return f"{url}: {getattr(error, 'reason', None) or type(error).__name__}"

    return look


def command_check(words: Sequence[str]) -> Check:
    """Healthy when the program ends with 0."""

    def look() -> str:
        try:
            code = subprocess.run(words, capture_output=True, check=False, timeout=_LOOK_SECONDS).returncode
        except (OSError, subprocess.TimeoutExpired) as error:
            return f"{words[0]}: {type(error).__name__}"
        return f"{words[0]}: exit {code}" if code else ""

    return look


@dataclass(frozen=True)
class HealthWait:
    """All ``checks`` good ``TIMES`` times in a row within ``seconds``; ill at once when one is Hopeless.

    No checks: never healthy.
    """

    checks: Sequence[Check]
    seconds: float = 60
    pause: float = 1
    clock: Clock = field(default_factory=SystemClock)
    sleep: Callable[[float], None] = time.sleep

    def wait(self) -> str:
        """ "" when healthy, else what the last look said."""
        if not self.checks:
            return "no health check is set"
        until, good = self.clock.monotonic() + self.seconds, 0
        while True:
            wrong = next((said for check in self.checks if (said := check())), "")
            good = 0 if wrong else good + 1
            if good == TIMES:
                return ""
            if isinstance(wrong, Hopeless):
                return str(wrong)
            if self.clock.monotonic() >= until:
                return wrong or "not steady"
            self.sleep(self.pause)
