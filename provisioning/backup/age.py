"""The age format, version 1 (age-encryption.org/v1), for one X25519 recipient: written and read as streams.

An archive can so be opened without Hiroba as well: ``age -d -i KEY FILE``. X25519 and HKDF-SHA256 wrap a file key; the
payload is ChaCha20-Poly1305 in chunks of 64 KiB, each bound to its place and the last one marked, so that changing,
swapping and cutting off show.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import os
from pathlib import Path
from typing import IO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from device.secrets import Secret
from provisioning.backup import bech32
from provisioning.backup.errors import ArchiveDamaged, KeyInvalid, KeyWrong

CHUNK = 64 * 1024
_TAG = 16
_VERSION = b"age-encryption.org/v1\n"
_LABEL = b"age-encryption.org/v1/X25519"
_LONGEST_HEADER = 16 * 1024
_MAX_STANZAS = 64
_PUBLIC, _SECRET = "age", "age-secret-key-"


class Identity(Secret):
    """A secret key, as text AGE-SECRET-KEY-1…; it prints as stars."""

    __slots__ = ()

    @classmethod
    def make(cls) -> Identity:
        """A new one."""
        return cls(X25519PrivateKey.generate().private_bytes_raw())

    @classmethod
    def read(cls, path: Path) -> Identity:
        """The first key in an identity file (comments begin with #). Raises KeyInvalid."""
        try:
            lines = path.read_text("ascii").split()
        except (OSError, UnicodeDecodeError) as error:
            raise KeyInvalid(file=path, wanted="identity") from error
        for word in lines:
            value = bech32.decode(_SECRET, word)
            if value is not None and len(value) == 32:
                return cls(value)
        raise KeyInvalid(file=path, wanted="identity")

    def text(self) -> str:
        """For the one file that keeps it."""
        return bech32.encode(_SECRET, self.reveal()).upper()

    def recipient(self) -> str:
        """The public key that belongs to it, age1…"""
        return bech32.encode(_PUBLIC, self.private().public_key().public_bytes_raw())

    def private(self) -> X25519PrivateKey:
        """The key as the library takes it."""
        return X25519PrivateKey.from_private_bytes(self.reveal())


def parse_recipient(text: str) -> bytes:
    """The 32 bytes of a public key age1… Raises KeyInvalid."""
    value = bech32.decode(_PUBLIC, text.strip())
    if value is None or len(value) != 32:
        raise KeyInvalid(file="-", wanted="recipient")
    return value


class Encryptor:
    """Everything written is encrypted to ``sink``. Only after ``close`` the file is whole."""

    def __init__(self, sink: IO[bytes], recipient: bytes) -> None:
        file_key, nonce = os.urandom(16), os.urandom(16)
        sink.write(_header(file_key, recipient))
        sink.write(nonce)
        self._sink = sink
        self._cipher = ChaCha20Poly1305(_derive(file_key, nonce, b"payload"))
        self._buffer = bytearray()
        self._place = 0

    def write(self, plain: bytes) -> int:
        """A chunk leaves when more follows it: the last one is marked."""
        self._buffer += plain
        while len(self._buffer) > CHUNK:
            self._seal(bytes(self._buffer[:CHUNK]), last=False)
            del self._buffer[:CHUNK]
        return len(plain)

    def close(self) -> None:
        """Write the last chunk; ``sink`` stays open."""
        self._seal(bytes(self._buffer), last=True)
        self._buffer.clear()

    def _seal(self, plain: bytes, *, last: bool) -> None:
        self._sink.write(self._cipher.encrypt(_nonce(self._place, last=last), plain, None))
        self._place += 1


class Decryptor:
    """What ``source`` holds, for ``identity``. Raises KeyWrong and ArchiveDamaged here and in ``read``."""

    def __init__(self, source: IO[bytes], identity: Identity, name: str) -> None:
        self._source, self._name = source, name
        file_key = self._unwrap(identity)
        nonce = source.read(16)
        if len(nonce) != 16:
            raise self._damaged("truncated")
        self._cipher = ChaCha20Poly1305(_derive(file_key, nonce, b"payload"))
        self._ahead = source.read(CHUNK + _TAG)
        self._plain = bytearray()
        self._place, self._ended = 0, False

    def read(self, size: int = -1) -> bytes:
        """Up to ``size`` bytes, fewer only at the end; a negative ``size`` reads to the end."""
        while not self._ended and (size < 0 or len(self._plain) < size):
            self._plain += self._open()
        end = len(self._plain) if size < 0 else size
        taken = bytes(self._plain[:end])
        del self._plain[:end]
        return taken

    def _open(self) -> bytes:
        sealed, self._ahead = self._ahead, self._source.read(CHUNK + _TAG)
        self._ended = not self._ahead
        try:
            plain = self._cipher.decrypt(_nonce(self._place, last=self._ended), sealed, None)
        except InvalidTag as error:
            raise self._damaged("truncated or changed") from error
        if self._ended and not plain and self._place:
            raise self._damaged("empty last chunk")
        self._place += 1
        return plain

    def _unwrap(self, identity: Identity) -> bytes:
        """The file key, once the header is proved to be whole."""
        header, mac, stanzas = self._read_header()
        for share, body in stanzas:
            file_key = _try(identity, share, body)
            if file_key is None:
                continue
            if not hmac.compare_digest(_mac(file_key, header), mac):
                raise self._damaged("header")
            return file_key
        raise KeyWrong(file=self._name)

    def _read_header(self) -> tuple[bytes, bytes, list[tuple[bytes, bytes]]]:
        if self._source.readline(len(_VERSION) + 1) != _VERSION:
            raise self._damaged("not an age file")
        stanzas: list[tuple[bytes, bytes]] = []
        read = _VERSION
        while len(read) < _LONGEST_HEADER and len(stanzas) < _MAX_STANZAS:
            line = self._source.readline(256)
            words = line.split()
            if words[:1] == [b"---"] and len(words) == 2:
                return read + b"---", self._unbase64(words[1]), stanzas
            body = self._source.readline(256)
            if not body:
                break
            read += line + body
            if words[:2] == [b"->", b"X25519"] and len(words) == 3:
                stanzas.append((self._unbase64(words[2]), self._unbase64(body.strip())))
        raise self._damaged("header")

    def _unbase64(self, text: bytes) -> bytes:
        try:
            return base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
        except binascii.Error as error:
            raise self._damaged("header") from error

    def _damaged(self, reason: str) -> ArchiveDamaged:
        return ArchiveDamaged(file=self._name, reason=reason)


def _header(file_key: bytes, recipient: bytes) -> bytes:
    once = X25519PrivateKey.generate()
    share = once.public_key().public_bytes_raw()
    wrap = _derive(once.exchange(X25519PublicKey.from_public_bytes(recipient)), share + recipient, _LABEL)
    body = ChaCha20Poly1305(wrap).encrypt(bytes(12), file_key, None)
    header = _VERSION + b"-> X25519 " + _base64(share) + b"\n" + _base64(body) + b"\n---"
    return header + b" " + _base64(_mac(file_key, header)) + b"\n"


def _try(identity: Identity, share: bytes, body: bytes) -> bytes | None:
    """The file key in one stanza, or None when it is not for this identity."""
    private = identity.private()
    try:
        shared = private.exchange(X25519PublicKey.from_public_bytes(share))
        wrap = _derive(shared, share + private.public_key().public_bytes_raw(), _LABEL)
        file_key = ChaCha20Poly1305(wrap).decrypt(bytes(12), body, None)
    except (ValueError, InvalidTag):
        return None
    return file_key if len(file_key) == 16 else None


def _derive(secret: bytes, salt: bytes, info: bytes) -> bytes:
    return HKDF(hashes.SHA256(), 32, salt, info).derive(secret)


def _mac(file_key: bytes, header: bytes) -> bytes:
    return hmac.digest(_derive(file_key, b"", b"header"), header, "sha256")


def _nonce(place: int, *, last: bool) -> bytes:
    return place.to_bytes(11, "big") + bytes([last])


def _base64(value: bytes) -> bytes:
    return base64.b64encode(value).rstrip(b"=")
