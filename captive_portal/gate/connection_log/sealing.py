"""Encrypts the connection log to the city's public key: the box can write it and cannot read it (N8).

A sealed box is the ephemeral X25519 public key (32 bytes, RFC 7748), then ChaCha20-Poly1305 (RFC 8439) of JSON lines
under a key by HKDF-SHA-256 (RFC 5869) from the shared secret, both public keys in its info. The key is used once, so
the nonce is 0. What it is bound to (chain.ChainLink.bound_to) is the cipher's associated data; a box of release 0.1 is
bound to nothing.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence

import msgspec

from captive_portal.gate.connection_log.entry import ConnectionLogEntry

_INFO = b"hiroba connection log 1"
_NONCE = bytes(12)
PUBLIC = 32
"""Bytes of a public key."""


class UnsealFailed(Exception):
    """Wrong private key, or the sealed box was modified."""


class LogSealer:
    """Makes sealed boxes that only the holder of the private key can open. key: the public key, 32 bytes."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def seal(self, entries: Sequence[ConnectionLogEntry], bound_to: bytes = b"") -> bytes:
        """One sealed box of these entries, which opens with the same ``bound_to`` alone."""
        from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

        ephemeral = X25519PrivateKey.generate()
        sent = ephemeral.public_key().public_bytes_raw()
        secret = ephemeral.exchange(X25519PublicKey.from_public_bytes(self._key))
        return sent + _encrypted(secret, sent, self._key, msgspec.json.encode(entries), bound_to)


def unseal_entries(private: bytes, box: bytes, bound_to: bytes = b"") -> list[ConnectionLogEntry]:
    """The entries in a sealed box. private: the private key, 32 bytes. Raises UnsealFailed."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    try:
        key, sent = X25519PrivateKey.from_private_bytes(private), box[:PUBLIC]
        secret = key.exchange(X25519PublicKey.from_public_bytes(sent))
        own = key.public_key().public_bytes_raw()
        plain = ChaCha20Poly1305(_derived(secret, sent, own)).decrypt(_NONCE, box[PUBLIC:], bound_to)
        return msgspec.json.decode(plain, type=list[ConnectionLogEntry])
    except (InvalidTag, ValueError, msgspec.MsgspecError) as error:
        raise UnsealFailed from error


def new_key() -> tuple[bytes, str]:
    """(private key, public key as the site file takes it)."""
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    private = X25519PrivateKey.generate()
    return private.private_bytes_raw(), base64.b64encode(private.public_key().public_bytes_raw()).decode()


def _encrypted(secret: bytes, sent: bytes, own: bytes, plain: bytes, bound_to: bytes) -> bytes:
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    return ChaCha20Poly1305(_derived(secret, sent, own)).encrypt(_NONCE, plain, bound_to)


def _derived(secret: bytes, sent: bytes, own: bytes) -> bytes:
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return HKDF(SHA256(), 32, None, _INFO + sent + own).derive(secret)
