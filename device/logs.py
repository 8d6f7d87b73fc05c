"""Logging as JSON lines on standard error.

Our own forty lines: structlog brought 8 MiB and a tenth of a second of start-up into every process (README of device).
A value whose type is Secret prints as stars by itself; personal values are never handed in (N3).
"""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol, TextIO

MAX_PLACES = 8
"""Frames told of one exception: the innermost ones, where it was raised."""
_PROJECT = Path(__file__).parents[1]


class Log(Protocol):
    """What a room may say to the log: an event name and plain facts."""

    def info(self, event: str, **facts: object) -> object:
        """Something worth knowing happened."""
        ...

    def warning(self, event: str, **facts: object) -> object:
        """Something is not as it should be; service goes on."""
        ...

    def error(self, event: str, **facts: object) -> object:
        """Something failed that a person has to look at."""
        ...


def open_log(process: str, stream: TextIO | None = None) -> Log:
    """The log of one process: one JSON object a line, time in UTC, with the process's name."""
    return _JsonLog(process, stream or sys.stderr)


def places(error: BaseException) -> list[str]:
    """Where ``error`` came from, outermost frame first: "kiosk/shell/desk.py:41 arrive", at most MAX_PLACES of them.

    What caused it follows, after "caused by" and its type. Never a message, a value or a line of source: they may
    quote a form, a name or a PIN (N3).
    """
    found: list[str] = []
    for kind, cause in enumerate(_chain(error)):
        frames = traceback.extract_tb(cause.__traceback__)[-MAX_PLACES:]
        found += [f"caused by {type(cause).__name__}"] if kind else []
        found += [f"{_relative(frame.filename)}:{frame.lineno} {frame.name}" for frame in frames]
    return found


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error, then its causes; each once, though a chain may be a circle."""
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        yield cause
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)


def _relative(file: str) -> str:
    """Without the folder of the project, of installed packages or of Python itself; else the name alone."""
    for folder in ("site-packages/", "dist-packages/"):
        _, found, after = file.rpartition(folder)
        if found:
            return after
    path = Path(file)
    return path.relative_to(_PROJECT).as_posix() if path.is_relative_to(_PROJECT) else path.name


@dataclass(frozen=True)
class _JsonLog:
    process: str
    stream: TextIO

    def info(self, event: str, **facts: object) -> None:
        self._say("info", event, facts)

    def warning(self, event: str, **facts: object) -> None:
        self._say("warning", event, facts)

    def error(self, event: str, **facts: object) -> None:
        self._say("error", event, facts)

    def _say(self, level: str, event: str, facts: dict[str, object]) -> None:
        """One write a line, so that threads and workers do not mix theirs."""
        time = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        line = {"process": self.process, **facts, "event": event, "level": level, "timestamp": time}
        self.stream.write(json.dumps(line, ensure_ascii=False, default=str) + "\n")
        self.stream.flush()
