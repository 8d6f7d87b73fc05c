"""Logging as JSON lines on standard error; the only importer of structlog.

A value whose type is Secret prints as stars by itself; personal values are never handed in (N3).
May import: nothing of ours.
"""

from __future__ import annotations

import logging
import sys
from typing import Protocol, TextIO, cast

import structlog


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
    logger = structlog.wrap_logger(
        structlog.PrintLogger(stream or sys.stderr),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False, default=str),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
    )
    return cast("Log", logger.bind(process=process))
