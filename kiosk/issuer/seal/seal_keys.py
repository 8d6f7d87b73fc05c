"""Where the city's seal key lies, and the public keys that seals are checked with.

A folder holds ``seal.key`` (private, PKCS #8 PEM, readable by the issuer alone) and NAME.pem for every public key: the
present one, and older ones as long as papers sealed with them are about.
"""

from __future__ import annotations

import re
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from device.errors import SettingsError
from device.files import create_once
from kiosk.issuer.seal.seal import key_id

PRIVATE = "seal.key"


def seal_key(folder: Path, name: str) -> Ed25519PrivateKey:
    """The key in ``folder``; made, with its public half as NAME-KID.pem, when there is none. Raises SettingsError."""
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    private = folder / PRIVATE
    if not private.exists():
        made = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        create_once(private, made, mode=0o600)
    key = _loaded(private)
    public = folder / f"{_plain(name)}-{key_id(key.public_key()).hex()}.pem"
    create_once(public, key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo), mode=0o644)
    return key


def public_keys(folder: Path) -> dict[str, Ed25519PublicKey]:
    """Name -> key of every NAME.pem in ``folder``; empty when there is no such folder. Raises SettingsError."""
    found = {}
    for file in sorted(folder.glob("*.pem")):
        try:
            key = load_pem_public_key(file.read_bytes())
        except (ValueError, UnsupportedAlgorithm) as error:
            raise _wrong(file) from error
        if not isinstance(key, Ed25519PublicKey):
            raise _wrong(file)
        found[file.stem] = key
    return found


def _loaded(file: Path) -> Ed25519PrivateKey:
    try:
        key = load_pem_private_key(file.read_bytes(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm, OSError) as error:
        raise _wrong(file) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise _wrong(file)
    return key


def _plain(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-") or "seal"


def _wrong(file: Path) -> SettingsError:
    return SettingsError(file=file, line=0, key="issuer.seal", wrong="not an Ed25519 key in PEM")
