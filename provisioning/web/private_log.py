"""gunicorn's log without anything that a client sent, and without its address (N3, N8).

gunicorn quotes a request that it cannot read, and the address of one that broke on the way; a mail address in a mangled
form is no business of the log's.
"""

from __future__ import annotations

import sys
from typing import Any

from gunicorn.glogging import Logger

from device.logs import open_log, places


class PrivateLog(Logger):  # type: ignore[misc]  # gunicorn ships no types
    """gunicorn's ``logger_class``: warnings, which are about requests, are dropped; exceptions are kind and places."""

    def warning(self, msg: str, *args: Any, **kwargs: Any) -> None:
        """Nothing: "Invalid request from ip=…" and its like."""

    def exception(self, _msg: str, *_args: Any, **_kwargs: Any) -> None:
        """A mistake of ours."""
        error = sys.exc_info()[1]
        if error is not None:
            open_log(self.cfg.proc_name).error("request_failed", kind=type(error).__name__, places=places(error))
