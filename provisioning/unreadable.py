"""Requests that cannot be read or break on the way: what their sender is told, and what the log says.

The log says nothing that was sent and no address (N3): a mail address in a mangled form is no business of the log's.
"""

from __future__ import annotations

import contextlib
import ssl
import traceback
from typing import Any

from gunicorn import util
from gunicorn.http import errors

_FAILED = (500, "Internal Server Error")
_TOLD: tuple[tuple[type[Exception], int, str], ...] = (
    (errors.LimitRequestLine, 414, "URI Too Long"),
    (errors.LimitRequestHeaders, 431, "Request Header Fields Too Large"),
    (errors.ExpectationFailed, 417, "Expectation Failed"),
    (errors.ConfigurationProblem, *_FAILED),
    (errors.InvalidResponseHeader, *_FAILED),
    (errors.InvalidResponseHeaderName, *_FAILED),
    (errors.ParseException, 400, "Bad Request"),
)
"""The first that fits (RFC 9110 §15.5, RFC 6585 §5)."""


def verdict(error: BaseException) -> tuple[int, str]:
    """(status, reason) for a request that ended in ``error``; 500 for a mistake of ours."""
    return next(((status, reason) for kind, status, reason in _TOLD if isinstance(error, kind)), _FAILED)


def tell(client: Any, error: BaseException) -> str:
    """Answer, where there is someone to answer; what to log: "" or the error's kind and places, without its words."""
    if isinstance(error, ssl.SSLError):
        return ""  # no TLS came about, so nothing said would be understood
    status, reason = verdict(error)
    with contextlib.suppress(Exception):
        util.write_error(client, status, reason, "")
    if status != 500:
        return ""
    places = " ".join(f"{f.filename.rpartition('/')[2]}:{f.lineno}" for f in traceback.extract_tb(error.__traceback__))
    return f"{type(error).__name__} {places}"
