"""Where the city's seal key lies, and the public keys that seals are checked with.

A folder holds ``seal.key`` (private, PKCS #8 PEM, readable by the issuer alone) and NAME.pem for every public key: the
present one, and older ones as long as papers sealed with them are about. Before its PEM block a public key's file has
two lines of text (RFC 7468 §2): ``not-before: TIME`` and ``not-after: TIME``, ISO 8601. A file of release 0.1 has none,
and its key no bounds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
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
from device.files import atomic_write, create_once
from kiosk.issuer.seal.cose import key_id

PRIVATE = "seal.key"
LIFE = timedelta(days=5 * 365)
_SLACK = timedelta(days=1)
"""Before the moment at which a key was made: a box's clock may be set back at its first contact."""
_DATE = re.compile(r"^not-(before|after): *(\S+)\s*$", re.MULTILINE)


@dataclass(frozen=True)
class SealKey:
    """A public key and the time in which it may have sealed; None: no bound on that side."""

    public: Ed25519PublicKey
    not_before: datetime | None = None
    not_after: datetime | None = None

    def valid_at(self, at: datetime) -> bool:
        """Whether a seal of this moment can be its."""
        early = self.not_before is not None and at < self.not_before
        return not early and not (self.not_after is not None and at > self.not_after)


def seal_key(folder: Path, name: str, at: datetime | None = None) -> Ed25519PrivateKey:
    """The key in ``folder``; made, with its public half as NAME-KID.pem, when there is none. at: the present, from
    which a new key's time is counted; without it a new key has no bounds, and an old key's are not looked at. Raises
    SettingsError, also for a key whose time is over.
    """
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    private = folder / PRIVATE
    if not private.exists():
        create_once(private, _new_private(), mode=0o600)
    key = _loaded(private)
    public = _public_file(folder, name, key)
    if not any(key_id(known.public) == key_id(key.public_key()) for known in public_keys(folder).values()):
        create_once(public, _written(_fresh(key.public_key(), at)), mode=0o644)
    if at is not None and not _of(folder, key).valid_at(at):
        raise SettingsError(file=public, line=0, key="issuer.seal", wrong="the key's time is over: hiroba seal rotate")
    return key


def rotate(folder: Path, name: str, at: datetime) -> str:
    """A new key takes the place of the present one, whose time ends now; the name of the new public key. The issuer
    seals with it from its next start. Raises SettingsError.
    """
    old = seal_key(folder, name)
    new = Ed25519PrivateKey.generate()
    public = _public_file(folder, name, new)
    create_once(public, _written(_fresh(new.public_key(), at)), mode=0o644)
    for stem, known in public_keys(folder).items():
        if key_id(known.public) == key_id(old.public_key()):
            ended = SealKey(known.public, known.not_before, at + _SLACK)
            atomic_write(folder / f"{stem}.pem", _written(ended), mode=0o644)
    atomic_write(folder / PRIVATE, _private_pem(new), mode=0o600)
    return public.stem


def public_keys(folder: Path) -> dict[str, SealKey]:
    """Name -> key of every NAME.pem in ``folder``; empty when there is no such folder. Raises SettingsError."""
    return {file.stem: public_key(file) for file in sorted(folder.glob("*.pem"))}


def public_key(file: Path) -> SealKey:
    """The key in a NAME.pem. Raises SettingsError."""
    try:
        content = file.read_bytes()
        key = load_pem_public_key(content)
        dates = {found[1]: datetime.fromisoformat(found[2]) for found in _DATE.finditer(content.decode("ascii"))}
    except (ValueError, UnsupportedAlgorithm, OSError) as error:
        raise _wrong(file) from error
    if not isinstance(key, Ed25519PublicKey) or any(date.tzinfo is None for date in dates.values()):
        raise _wrong(file)
    return SealKey(key, dates.get("before"), dates.get("after"))


def private_key(file: Path) -> Ed25519PrivateKey:
    """A private key in PKCS #8 PEM. Raises SettingsError."""
    return _loaded(file)


def create_private(file: Path) -> Ed25519PrivateKey:
    """A new key in ``file``, which must not exist, readable by its owner alone. Raises FileExistsError."""
    if not create_once(file, _new_private(), mode=0o600):
        raise FileExistsError(file)
    return _loaded(file)


def public_text(key: SealKey) -> bytes:
    """The content of a NAME.pem."""
    return _written(key)


def _of(folder: Path, key: Ed25519PrivateKey) -> SealKey:
    wanted = key_id(key.public_key())
    return next(known for known in public_keys(folder).values() if key_id(known.public) == wanted)


def _fresh(public: Ed25519PublicKey, at: datetime | None) -> SealKey:
    if at is None:
        return SealKey(public)
    moment = at.replace(microsecond=0)
    return SealKey(public, moment - _SLACK, moment + LIFE)


def _written(key: SealKey) -> bytes:
    dates = [("before", key.not_before), ("after", key.not_after)]
    said = "".join(f"not-{side}: {date.replace(microsecond=0).isoformat()}\n" for side, date in dates if date)
    return said.encode() + key.public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def _new_private() -> bytes:
    return _private_pem(Ed25519PrivateKey.generate())


def _private_pem(key: Ed25519PrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _public_file(folder: Path, name: str, key: Ed25519PrivateKey) -> Path:
    return folder / f"{_plain(name)}-{key_id(key.public_key()).hex()}.pem"


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
