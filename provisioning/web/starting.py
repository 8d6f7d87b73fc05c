"""A start that fails is reported once, however many workers tried, and ends the whole process."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from device.errors import HirobaError
from provisioning.messages import explain

T = TypeVar("T")
APP_LOAD_ERROR = 4
"""The exit code of a worker by which gunicorn knows that another one would fail too (Arbiter.APP_LOAD_ERROR)."""


def report_once(build: Callable[[], T]) -> Callable[[], T]:
    """``build`` for workers that are forked later: an expected error becomes its message on standard error, from the
    first worker that meets it, and the exit code that ends the arbiter.
    """
    token, other = os.pipe()
    os.write(other, b"1")
    os.set_blocking(token, False)

    def built() -> T:
        try:
            return build()
        except HirobaError as error:
            with suppress(BlockingIOError):
                os.read(token, 1)
                sys.stderr.write(explain(error) + "\n")
                sys.exit(APP_LOAD_ERROR)
            sys.exit(0)  # another worker has reported it: gunicorn takes that one's exit code

    return built
