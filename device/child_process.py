"""Child processes that end with the process that started them, also when that one is killed."""

from __future__ import annotations

import os

_SCRIPT = '[ "$PPID" = "$1" ] || exit 1; shift; exec "$@"'
"""The signal comes only to who asked for it while the parent lived: so whether it lives is looked at afterwards."""


def ends_with_this_process(command: list[str], signal: str = "TERM") -> list[str]:
    """``command`` so that its process gets ``signal`` when this process ends (setpriv of util-linux, prctl(2)
    PR_SET_PDEATHSIG). The thread that starts it must live as long as it does.
    """
    leash = ["/usr/bin/setpriv", "--pdeathsig", signal, "--", "/bin/sh", "-c", _SCRIPT, "sh", str(os.getpid())]
    return [*leash, *command]
