"""Logging as JSON lines on standard error.

Our own forty lines: structlog brought 8 MiB and a tenth of a second of start-up into every process (README of device).
A value whose type is Secret prints as stars by itself; personal values are never handed in (N3).
"""

from __future__ import annotations

import json
import sys
import traceback
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol, TextIO


class Log(Protocol):
    """What a room may say to the log: an event name and plain facts."""

    def info(self, event: str, **facts: object) -> object:
        """Something worth knowing happened."""
        ...

    def warning(self, event: str, **facts: object) -> object:
        """Something is not as it should be; service goes on."""
        ...

    def error(self, event: str, **facts: object) -> object:
        """Something failed that a person has to look at. exc_info=True: the trace of the exception being handled."""
        ...


def open_log(process: str, stream: TextIO | None = None) -> Log:
    """The log of one process: one JSON object a line, time in UTC, with the process's name."""
    return _JsonLog(process, stream or sys.stderr)


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
        if facts.pop("exc_info", False):
            facts["exception"] = traceback.format_exc()
        time = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        line = {"process": self.process, **facts, "event": event, "level": level, "timestamp": time}
        self.stream.write(json.dumps(line, ensure_ascii=False, default=str) + "\n")
        self.stream.flush()
