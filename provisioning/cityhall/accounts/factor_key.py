"""The key under which the secrets of authenticator apps lie in the database: who reads a copy of it makes no codes."""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken

from device.files import create_once
from provisioning.cityhall.errors import FactorKeyUnusable

FACTOR_KEY_FILE = "staff-factors.key"


class FactorKey:
    """Seals and opens secrets. Servers that share a database share the file."""

    def __init__(self, key: bytes) -> None:
        self._fernet = Fernet(key)

    @classmethod
    def at(cls, file: Path) -> FactorKey:
        """The key in ``file``; made there when there is none. Raises FactorKeyUnusable."""
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            create_once(file, Fernet.generate_key(), mode=0o600)  # two workers may start at the same moment
            if os.geteuid() == 0:  # a command run by root makes it for the service's user
                os.chown(file, file.parent.stat().st_uid, file.parent.stat().st_gid)
        try:
            return cls(file.read_bytes().strip())
        except (OSError, ValueError) as error:
            raise FactorKeyUnusable(file=file, reason=type(error).__name__) from error

    def seal(self, secret: str) -> str:
        """For the database."""
        return self._fernet.encrypt(secret.encode()).decode("ascii")

    def open(self, sealed: str) -> str | None:
        """The secret, or None when it was sealed under another key."""
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken:
            return None
