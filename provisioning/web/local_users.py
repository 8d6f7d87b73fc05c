"""Only chosen local users are answered on a loopback port: the kernel tells whose connection each request came by."""

from __future__ import annotations

import os
import pwd
from collections.abc import Callable, Iterable
from typing import Any

from device.logs import Log
from device.socket_owner import peer_user

ROOT = 0
_REFUSED = b"not for this user\n"


def users_named(names: Iterable[str]) -> frozenset[int]:
    """Root, this process's own user, and those of ``names`` that this machine has."""
    known = {entry.pw_name: entry.pw_uid for entry in pwd.getpwall()}
    return frozenset({ROOT, os.geteuid(), *(known[name] for name in names if name in known)})


def for_local_users(app: Callable[..., Any], users: frozenset[int], log: Log) -> Callable[..., Any]:
    """WSGI around ``app``: a request of any other user, or of one whom the kernel does not name, gets 403 and never
    reaches ``app``. Each refused user is logged once a process.
    """
    logged: set[int | None] = set()

    def wrapped(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        user = peer_user(environ["gunicorn.socket"])
        if user in users:
            return app(environ, start_response)
        if user not in logged:
            logged.add(user)
            log.warning("local_user_refused", user=user)
        headers = [("Content-Type", "text/plain"), ("Content-Length", str(len(_REFUSED))), ("Connection", "close")]
        start_response("403 Forbidden", headers)
        return [_REFUSED]

    return wrapped
