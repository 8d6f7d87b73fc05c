"""COSE_Sign1 with Ed25519 (RFC 9052 §4.2, RFC 9053 §2.2), of seals and of key lists; the only importer of cbor2.

Exactly one header is heard: the algorithm EdDSA and the key's id, both protected. Anything else, ``crit`` (§3.1) and
whatever it names included, is refused before the signature is looked at. Pure.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

_TAG, _ALG, _KID, _EDDSA = 18, 1, 4, -8  # RFC 9052 §4.2, §3.1; RFC 9053 §2.2


@dataclass(frozen=True)
class Signed:
    """A message whose signature is not checked yet. key: the id of the key it names; plain_header False: its header
    holds other than what we sign with.
    """

    key: bytes
    plain_header: bool
    head: bytes
    payload: bytes
    signature: bytes

    def verified(self, key: Ed25519PublicKey) -> Any:
        """What was signed, decoded. Raises InvalidSignature, ValueError."""
        if not self.plain_header:
            raise InvalidSignature
        key.verify(self.signature, _to_sign(self.head, self.payload))
        return _read(self.payload)


def sign(key: Ed25519PrivateKey, payload: object) -> bytes:
    """A COSE_Sign1 of ``payload`` as CBOR; the same in, the same bytes out."""
    head = cbor2.dumps({_ALG: _EDDSA, _KID: key_id(key.public_key())})
    content = cbor2.dumps(payload)
    return cbor2.dumps(cbor2.CBORTag(_TAG, [head, {}, content, key.sign(_to_sign(head, content))]))


def opened(content: bytes) -> Signed:
    """The parts of a COSE_Sign1. Raises ValueError for what is none, or names no key."""
    found = _read(content)
    if not isinstance(found, cbor2.CBORTag) or found.tag != _TAG:
        raise ValueError("no COSE_Sign1")
    parts = found.value
    if not isinstance(parts, list | tuple) or len(parts) != 4:
        raise ValueError("no COSE_Sign1")
    head, open_head, payload, signature = parts
    if not isinstance(head, bytes) or not isinstance(payload, bytes) or not isinstance(signature, bytes):
        raise ValueError("no COSE_Sign1")
    header = _read(head)
    key = header.get(_KID) if isinstance(header, dict) else None
    if not isinstance(key, bytes):
        raise ValueError("no key named")
    return Signed(key, head == cbor2.dumps({_ALG: _EDDSA, _KID: key}) and open_head == {}, head, payload, signature)


def key_id(key: Ed25519PublicKey) -> bytes:
    """Eight bytes that name the key."""
    return hashlib.sha256(key.public_bytes_raw()).digest()[:8]


def _to_sign(head: bytes, payload: bytes) -> bytes:
    """Sig_structure (§4.4)."""
    return bytes(cbor2.dumps(["Signature1", head, b"", payload]))


def _read(content: bytes) -> Any:
    """One CBOR item and nothing behind it. Raises ValueError."""
    stream = BytesIO(content)
    try:
        found = cbor2.load(stream)
    except Exception as error:  # untrusted bytes: any error of the parser means no message
        raise ValueError("not CBOR") from error
    if stream.read(1):
        raise ValueError("not one item")
    return found
