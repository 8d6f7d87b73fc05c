"""The city's signed list of its seal keys, for whoever checks papers elsewhere, and how one list follows another.

A list is a COSE_Sign1 (cose.py) of a CBOR map with text keys:

| key | value |
|---|---|
| ``type`` | "hiroba-seal-keys" |
| ``version`` | counts up from 1 |
| ``issued``, ``expires`` | seconds since 1970 |
| ``keys`` | arrays of name, 32 bytes of Ed25519, not-before, not-after (seconds, or null) |
| ``signers`` | the keys (32 bytes) that may sign this list's successor |

A folder of a checker holds ``key-list-signer.pem``, the public key that it got from the city by a way it trusts, and
``key-list-NNNNNN.cose`` of every list it accepted. The first is signed by that key, each later one by a signer of
the one before, with a higher version; the last one counts. So the signing key is changed by a list, and an older list
or one that nobody signed is not accepted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from device.errors import HirobaError
from device.files import atomic_write
from kiosk.issuer.seal import cose
from kiosk.issuer.seal.cose import key_id
from kiosk.issuer.seal.seal_keys import SealKey, public_key, public_keys, public_text

SIGNER = "key-list-signer.pem"
_TYPE = "hiroba-seal-keys"
_LISTS = "key-list-*.cose"
MAX_BYTES = 256 * 1024


class KeyListRefused(HirobaError):
    """A list of seal keys is not to be used. facts: reason: "malformed", "signature", "version", "expired" or
    "no_signer"; version.
    """

    code = "seal.key_list_refused"


@dataclass(frozen=True)
class KeyList:
    """An opened list; signers: the keys that may sign the next one."""

    version: int
    issued: datetime
    expires: datetime
    keys: Mapping[str, SealKey]
    signers: tuple[Ed25519PublicKey, ...]


def checking_keys(folder: Path, at: datetime) -> Mapping[str, SealKey]:
    """The keys that seals are checked with: those of the last accepted list in ``folder``, or, in a folder without
    lists (the issuer's own), of every NAME.pem. Raises KeyListRefused, SettingsError.
    """
    if not (folder / SIGNER).exists():
        if any(folder.glob(_LISTS)):
            raise KeyListRefused(reason="no_signer", version=0)
        return public_keys(folder)
    newest = newest_list(folder)
    if newest is None:
        raise KeyListRefused(reason="signature", version=0)
    if at > newest.expires:
        raise KeyListRefused(reason="expired", version=newest.version)
    return newest.keys


def newest_list(folder: Path) -> KeyList | None:
    """The last list of the chain in ``folder``; None: it has none yet. Raises KeyListRefused, SettingsError."""
    found: KeyList | None = None
    signers: tuple[Ed25519PublicKey, ...] = (public_key(folder / SIGNER).public,)
    for file in sorted(folder.glob(_LISTS)):
        found = opened(_content(file), signers, found.version if found else 0)
        signers = found.signers
    return found


def accept(folder: Path, content: bytes, at: datetime, signer: SealKey | None = None) -> KeyList:
    """Puts a list into ``folder``, behind the one that counts now. signer: who signed the first one, for a folder that
    knows none yet; a folder that knows one keeps it. Raises KeyListRefused, SettingsError.
    """
    known = (folder / SIGNER).exists()
    if not known and signer is None:
        raise KeyListRefused(reason="no_signer", version=0)
    present = newest_list(folder) if known else None
    first = public_key(folder / SIGNER) if known else signer
    signers = present.signers if present else (first.public,) if first else ()
    found = opened(content, signers, present.version if present else 0)
    if at > found.expires:
        raise KeyListRefused(reason="expired", version=found.version)
    folder.mkdir(parents=True, exist_ok=True)
    if not known and first is not None:
        atomic_write(folder / SIGNER, public_text(first), mode=0o644)
    atomic_write(folder / f"key-list-{found.version:06d}.cose", content, mode=0o644)
    return found


def signed(
    key: Ed25519PrivateKey,
    keys: Mapping[str, SealKey],
    *,
    version: int,
    issued: datetime,
    expires: datetime,
    signers: Sequence[Ed25519PublicKey] = (),
) -> bytes:
    """A list signed with ``key``. signers: who may sign its successor; ``key`` itself unless given."""
    rows = [
        [name, k.public.public_bytes_raw(), _seconds(k.not_before), _seconds(k.not_after)] for name, k in keys.items()
    ]
    content = {
        "type": _TYPE,
        "version": version,
        "issued": _seconds(issued),
        "expires": _seconds(expires),
        "keys": sorted(rows),
        "signers": [signer.public_bytes_raw() for signer in signers or (key.public_key(),)],
    }
    return cose.sign(key, content)


def opened(content: bytes, signers: Sequence[Ed25519PublicKey], after: int) -> KeyList:
    """The list in ``content``, which one of ``signers`` signed and whose version is above ``after``. Raises
    KeyListRefused.
    """
    try:
        if len(content) > MAX_BYTES:
            raise ValueError("too large")
        message = cose.opened(content)
        signer = next((key for key in signers if key_id(key) == message.key), None)
        if signer is None:
            raise InvalidSignature
        found = _list(message.verified(signer))
    except InvalidSignature as error:
        raise KeyListRefused(reason="signature", version=0) from error
    except (ValueError, KeyError, TypeError, OverflowError) as error:
        raise KeyListRefused(reason="malformed", version=0) from error
    if found.version <= after:
        raise KeyListRefused(reason="version", version=found.version)
    return found


def _list(content: object) -> KeyList:
    """Raises ValueError, KeyError, TypeError, OverflowError."""
    if not isinstance(content, dict) or content["type"] != _TYPE or not isinstance(content["version"], int):
        raise ValueError("no list of seal keys")
    keys = {
        str(name): SealKey(_public(raw), _moment(early), _moment(late)) for name, raw, early, late in content["keys"]
    }
    issued, expires = (datetime.fromtimestamp(content[key], UTC) for key in ("issued", "expires"))
    return KeyList(content["version"], issued, expires, keys, tuple(_public(raw) for raw in content["signers"]))


def _public(raw: object) -> Ed25519PublicKey:
    if not isinstance(raw, bytes):
        raise TypeError("no key")
    return Ed25519PublicKey.from_public_bytes(raw)


def _seconds(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp())


def _moment(seconds: object) -> datetime | None:
    if seconds is None:
        return None
    if not isinstance(seconds, int):
        raise TypeError("no moment")
    return datetime.fromtimestamp(seconds, UTC)


def _content(file: Path) -> bytes:
    try:
        with file.open("rb") as opened_file:
            return opened_file.read(MAX_BYTES + 1)
    except OSError as error:
        raise KeyListRefused(reason="malformed", version=0) from error
