"""Waits until health checks hold: asked again and again until they do, or until time is up."""

from __future__ import annotations

import ssl
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from device.clock import Clock, SystemClock
from device.http_exchange import NO_HTTP, HttpStatus, chunks

Check = Callable[[], str]
"""One look: "" when healthy, else what is wrong (a program's name or an address, never personal)."""
TIMES = 3
"""Looks in a row that must be good: a program that dies at once is healthy for a moment."""
_LOOK_SECONDS = 10
_MAX_PAGE = 4 * 2**20


class Hopeless(str):
    """What is wrong and will not mend by waiting."""

    __slots__ = ()


def url_check(url: str, seconds: float = _LOOK_SECONDS) -> Check:
    """Healthy when ``url`` answers 200 (redirects followed)."""

    def look() -> str:
        if not url.startswith(("http://", "https://")):  # urllib opens files, too
            return Hopeless(f"{url}: not http")
        try:
            for _ in chunks(url, _system_trust(url), seconds=seconds, max_bytes=_MAX_PAGE, min_rate=0):
                pass  # a page that breaks off is not healthy
        except HttpStatus as error:
            return f"{url}: {error.status}"
        except NO_HTTP as error:
            return f"{url}: {getattr(error, 'strerror', None) or type(error).__name__}"
        return ""

    return look


def _system_trust(url: str) -> ssl.SSLContext | None:
    return ssl.create_default_context() if url.startswith("https:") else None


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
