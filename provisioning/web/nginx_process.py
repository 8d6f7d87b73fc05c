"""Writes nginx's configuration into a folder of its own and replaces this process by nginx."""

from __future__ import annotations

import contextlib
import os
import pwd
import resource
import shutil
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, NoReturn

from device.files import atomic_write
from device.watchdog import Notifier
from provisioning.box.render.nginx import ALIVE_SOCKET, CONFIGURATION, NginxRuntime
from provisioning.box.render.refusal import CannotRender
from provisioning.errors import FileTrouble, NotForNginx, ProgramMissing
from provisioning.web.serving import check_port

PROGRAM = "nginx"
_MAX_OPEN_FILES = 8192
"""Of a worker: WORKER_CONNECTIONS and those to the application, with a margin."""


class NginxConfiguration(NamedTuple):
    """text: the configuration; pages: below the folder; addresses: where it listens; credentials: files whose change
    reloads nginx.
    """

    text: str
    pages: Mapping[Path, str]
    addresses: Sequence[tuple[str, int]]
    credentials: Sequence[Path]


def exec_nginx(folder: Path, configure: Callable[[NginxRuntime], NginxConfiguration]) -> NoReturn:
    """Raises ProgramMissing, PortTaken, PortNotAllowed, NotForNginx, FileTrouble (a credential that cannot be
    read), and what ``configure`` raises.
    """
    program = shutil.which(PROGRAM, path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        raise ProgramMissing(program=PROGRAM, package=PROGRAM)
    try:
        configured = configure(NginxRuntime(folder, _user(), has_ipv6()))
    except CannotRender as error:  # `hiroba site check` tells a setting with its line
        raise NotForNginx(key=error.mistake.key, folder=folder) from error
    for address in configured.addresses:
        check_port(*address)
    _check_readable(configured.credentials)
    _write_files(folder, configured)
    notifier = Notifier.take()
    with contextlib.suppress(OSError, ValueError):  # the unit sets it, and forbids to change it
        resource.setrlimit(resource.RLIMIT_NOFILE, (_MAX_OPEN_FILES, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    _start_companion(folder, notifier, configured.credentials)
    os.execv(program, [PROGRAM, "-e", "stderr", "-p", str(folder), "-c", str(folder / CONFIGURATION)])  # noqa: S606


def has_ipv6() -> bool:
    """Whether this machine can listen on IPv6 (a kernel may be started without)."""
    return socket.has_dualstack_ipv6()


def _user() -> str:
    """Started as root, the workers stay root; a unit starts nginx as its own user."""
    return pwd.getpwuid(0).pw_name if os.geteuid() == 0 else ""


def _check_readable(files: Sequence[Path]) -> None:
    for file in files:
        try:
            file.open("rb").close()
        except OSError as error:
            raise FileTrouble(error) from error


def _write_files(folder: Path, configured: NginxConfiguration) -> None:
    (folder / ALIVE_SOCKET).unlink(missing_ok=True)  # a killed nginx leaves it, and bind(2) would fail
    for name, text in {Path(CONFIGURATION): configured.text, **configured.pages}.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        atomic_write(file, text.encode("utf-8"), mode=0o644, durable=False)  # made anew at each start


def _start_companion(folder: Path, notifier: Notifier, credentials: Sequence[Path]) -> None:
    """A child of this process, which becomes nginx (nginx_companion.py)."""
    if not notifier.address and not credentials:
        return
    arguments = [os.getpid(), folder / ALIVE_SOCKET, notifier.address, notifier.watchdog_seconds, *credentials]
    if os.fork() == 0:
        os.execv(sys.executable, [sys.executable, "-m", "provisioning.web.nginx_companion", *map(str, arguments)])  # noqa: S606
