"""The publisher's signing keys: Ed25519, one PEM file a role, readable by its owner alone.

The root key belongs on a medium in a safe: it is needed to begin and to replace another key, never to publish.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from device.files import create_once
from device.secrets import Secret
from provisioning.updates.errors import KeyUnusable

ROOT, TARGETS, SNAPSHOT, TIMESTAMP = "root", "targets", "snapshot", "timestamp"
ROLES = (ROOT, TARGETS, SNAPSHOT, TIMESTAMP)
"""The four top-level roles of TUF (specification §2.1)."""


class KeyFolder:
    """Keys by role. ``root``: the folder of the root key when it is another one. passphrase: None writes keys open."""

    def __init__(self, folder: Path, root: Path | None = None, passphrase: Secret | None = None) -> None:
        self._folders = dict.fromkeys(ROLES, folder) | ({ROOT: root} if root else {})
        self._passphrase = passphrase

    def file(self, role: str) -> Path:
        """Where the key of ``role`` is kept."""
        return self._folders[role] / f"{role}.pem"

    def load(self, role: str) -> Ed25519PrivateKey:
        """Raises KeyUnusable."""
        file = self.file(role)
        try:
            key = serialization.load_pem_private_key(file.read_bytes(), self._word())
        except OSError as error:
            raise KeyUnusable(file=file, reason=error.strerror or "unreadable") from error
        except TypeError as error:  # a passphrase for an open key, or none for a locked one
            raise KeyUnusable(file=file, reason="passphrase needed or not needed") from error
        except ValueError as error:
            raise KeyUnusable(file=file, reason="wrong passphrase, or not a key") from error
        if not isinstance(key, Ed25519PrivateKey):
            raise KeyUnusable(file=file, reason="not an Ed25519 key")
        return key

    def make(self, role: str) -> Ed25519PrivateKey:
        """A new key in a new file. Raises KeyUnusable when there is one: a key is never written over."""
        file = self.file(role)
        key = Ed25519PrivateKey.generate()
        try:
            file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            made = create_once(file, self._pem(key), mode=0o600)
        except OSError as error:
            raise KeyUnusable(file=file, reason=error.strerror or "not writable") from error
        if not made:
            raise KeyUnusable(file=file, reason=os.strerror(errno.EEXIST))
        return key

    def put_aside(self, role: str) -> Path:
        """Rename the present key so that a new one can be made; its new path. A lost key is nothing to put aside."""
        file = self.file(role)
        number = 1
        while (aside := file.with_name(f"{role}.old{number}.pem")).exists():
            number += 1
        if file.exists():
            file.rename(aside)
        return aside

    def _pem(self, key: Ed25519PrivateKey) -> bytes:
        word = self._word()
        lock = serialization.BestAvailableEncryption(word) if word else serialization.NoEncryption()
        return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, lock)

    def _word(self) -> bytes | None:
        return self._passphrase.reveal() if self._passphrase else None
