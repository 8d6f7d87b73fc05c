"""Programs that an update runs as root. They are root's own word on this box: a file of its own, which no site file,
seed, back-up or update brings. What a site file of an earlier release says of them is not read.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

import msgspec

from device.settings import Section
from provisioning.updates.errors import CommandsFileUnsafe

COMMANDS_FILE = Path("/etc/hiroba/update-commands.toml")
Commands = tuple[tuple[str, ...], ...]


class UpdateCommands(Section, frozen=True, kw_only=True):
    """health: each must end with 0 before a release is good; none: the kiosk's page and hiroba.target are looked at.
    lay: put the current slot's units in their places, on the way there and on the way back. restart: make it run.
    after_good: once a release has proved itself, e.g. ``[["rauc", "status", "mark-good"]]`` for the system's own slots.
    """

    health: Commands = ()
    lay: Commands = (("/opt/hiroba/current/.venv/bin/hiroba", "install", "--units-only"),)
    restart: Commands = (("systemctl", "restart", "hiroba.target"),)
    after_good: Commands = ()


def read_commands(path: Path = COMMANDS_FILE) -> UpdateCommands:
    """The file's words; without it the defaults. Raises CommandsFileUnsafe when another user could have written it, or
    it cannot be understood.
    """
    try:
        number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return UpdateCommands()
    except OSError as error:
        raise CommandsFileUnsafe(file=path, reason=error.strerror or "") from error
    with open(number, "rb") as file:  # noqa: PTH123 - the very file that is looked at
        for facts in (os.fstat(number), path.parent.stat()):
            if facts.st_uid not in (0, os.geteuid()) or facts.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
                raise CommandsFileUnsafe(file=path, reason="owner or mode")
        try:
            return msgspec.toml.decode(file.read(1 << 20), type=UpdateCommands)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise CommandsFileUnsafe(file=path, reason=str(error)) from error
