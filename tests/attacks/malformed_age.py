"""Age files with one thing wrong each, everything else right: a good MAC over a bad header, good chunks in a bad order.

A small writer of the format (age-encryption.org/v1, X25519), so that each part can be spoiled before it is summed up.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

CHUNK = 64 * 1024
_LETTERS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_VERSION = b"age-encryption.org/v1\n"
_INFO = b"age-encryption.org/v1/X25519"


def b64(content: bytes) -> bytes:
    """Base64 without padding, as the format has it."""
    return base64.b64encode(content).rstrip(b"=")


def public_key(recipient: str) -> bytes:
    """The 32 bytes of an age1… key (Bech32, its sum not looked at)."""
    bits = 0
    for letter in recipient[4:-6]:
        bits = bits << 5 | _LETTERS.index(letter)
    return (bits >> 4).to_bytes(32, "big")


def _hkdf(secret: bytes, salt: bytes, info: bytes) -> bytes:
    return HKDF(hashes.SHA256(), 32, salt or None, info).derive(secret)


@dataclass(frozen=True)
class AgeFile:
    """One file before it is put together. header: lines without the last one; chunks: (plain, counter, last)."""

    to: bytes
    file_key: bytes = field(default_factory=lambda: os.urandom(16))
    plain: bytes = b"plain"
    version: bytes = _VERSION
    share: Callable[[bytes], bytes] = b64
    wrapped: Callable[[bytes], bytes] = b64
    kind: bytes = b"X25519"
    more: bytes = b""
    arguments: bytes = b""
    point: bytes | None = None
    mac: Callable[[bytes], bytes] = b64
    line_end: bytes = b"\n"
    nonce: bytes = field(default_factory=lambda: os.urandom(16))
    chunks: tuple[tuple[bytes, int, bool], ...] = ((b"plain", 0, True),)
    tail: bytes = b""

    def encoded(self) -> bytes:
        """The whole file."""
        header = self.version + self._stanza() + self.more + b"---"
        summed = hmac.HMAC(_hkdf(self.file_key, b"", b"header"), hashes.SHA256())
        summed.update(header)
        return header + b" " + self.mac(summed.finalize()) + self.line_end + self.nonce + self._payload() + self.tail

    def _stanza(self) -> bytes:
        own = X25519PrivateKey.generate()
        raw = own.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        shared = own.exchange(X25519PublicKey.from_public_bytes(self.to))
        key = _hkdf(shared, raw + self.to, _INFO)
        body = ChaCha20Poly1305(key).encrypt(bytes(12), self.file_key, None)
        share = self.share(raw if self.point is None else self.point)
        return b"-> " + self.kind + b" " + share + self.arguments + b"\n" + self.wrapped(body) + b"\n"

    def _payload(self) -> bytes:
        cipher = ChaCha20Poly1305(_hkdf(self.file_key, self.nonce, b"payload"))
        return b"".join(
            cipher.encrypt(counter.to_bytes(11, "big") + bytes([last]), plain, None)
            for plain, counter, last in self.chunks
        )


def loose(content: bytes) -> bytes:
    """Base64 whose last letter says bits that nobody reads."""
    text = bytearray(b64(content))
    letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    text[-1] = letters[letters.index(text[-1]) | 1]
    return bytes(text)


def _headers(good: AgeFile) -> dict[str, AgeFile]:
    """Wrong in the version or in a stanza."""
    padded = base64.b64encode
    return {
        "version 2": replace(good, version=b"age-encryption.org/v2\n"),
        "version with a carriage return": replace(good, version=b"age-encryption.org/v1\r\n"),
        "version in capitals": replace(good, version=b"AGE-encryption.org/v1\n"),
        "nothing before the version": replace(good, version=b""),
        "a byte order mark": replace(good, version=b"\xef\xbb\xbf" + _VERSION),
        "an empty line before the stanza": replace(good, version=_VERSION + b"\n"),
        "padded share": replace(good, share=padded),
        "padded body": replace(good, wrapped=padded),
        "padded mac": replace(good, mac=padded),
        "loose share": replace(good, share=loose),
        "loose body": replace(good, wrapped=loose),
        "loose mac": replace(good, mac=loose),
        "share in the URL's letters": replace(
            good, share=lambda raw: b64(raw[:-3] + b"\xff\xef\xbe").replace(b"/", b"_")
        ),
        "short share": replace(good, share=lambda raw: b64(raw[:-1])),
        "long share": replace(good, share=lambda raw: b64(raw + b"\x00")),
        "one argument more": replace(good, arguments=b" more"),
        "two spaces": replace(good, kind=b"X25519 "),
        "a space at the end": replace(good, arguments=b" "),
        "a tab": replace(good, arguments=b"\tmore"),
        "a carriage return in the stanza": replace(good, arguments=b"\r"),
        "kind in small letters": replace(good, kind=b"x25519"),
        "the point zero": replace(good, point=bytes(32)),
        "a point of small order": replace(good, point=b"\x01" + bytes(31)),
        "a body that is cut": replace(good, wrapped=lambda raw: b64(raw[:-1])),
        "a body with a byte more": replace(good, wrapped=lambda raw: b64(raw + b"\x00")),
        "a body on two short lines": replace(good, wrapped=lambda raw: b64(raw)[:20] + b"\n" + b64(raw)[20:]),
        "a body with a space": replace(good, wrapped=lambda raw: b64(raw) + b" "),
        "a stanza without a kind": replace(good, more=b"-> \n\n"),
        "a stanza without its body": replace(good, more=b"-> other\n"),
        "a stanza with a full last line": replace(good, more=b"-> other\n" + b"A" * 64 + b"\n"),
        "a stanza in another alphabet": replace(good, more="-> 鍵\n\n".encode()),
    }


def _payloads(good: AgeFile) -> dict[str, AgeFile]:
    """Wrong in the mac or after it."""
    full = b"x" * CHUNK
    return {
        "no mac": replace(good, mac=lambda _: b""),
        "a mac that is cut": replace(good, mac=lambda raw: b64(raw[:-1])),
        "another mac": replace(good, mac=lambda raw: b64(bytes(len(raw)))),
        "two spaces before the mac": replace(good, mac=lambda raw: b" " + b64(raw)),
        "a carriage return after the mac": replace(good, line_end=b"\r\n"),
        "no line end after the mac": replace(good, line_end=b""),
        "a nonce that is cut": replace(good, nonce=bytes(15), chunks=()),
        "no chunk at all": replace(good, chunks=()),
        "no last chunk": replace(good, chunks=((full, 0, False),)),
        "an empty last chunk after a full one": replace(good, chunks=((full, 0, False), (b"", 1, True))),
        "a short chunk in the middle": replace(good, chunks=((b"x", 0, False), (b"y", 1, True))),
        "chunks the other way round": replace(good, chunks=((full, 1, False), (b"y", 0, True))),
        "the first chunk twice": replace(good, chunks=((full, 0, False), (full, 0, False), (b"y", 1, True))),
        "a counter that begins at one": replace(good, chunks=((b"x", 1, True),)),
        "two last chunks": replace(good, chunks=((full, 0, True), (b"y", 1, True))),
        "a chunk that is too long": replace(good, chunks=((full + b"x", 0, True),)),
        "a byte after the end": replace(good, tail=b"\x00"),
        "a line end after the end": replace(good, tail=b"\n"),
        "the file twice": replace(good, tail=good.encoded()),
    }


def vectors(recipient: str) -> Mapping[str, bytes]:
    """name -> a file to ``recipient`` that no reader may take."""
    good = AgeFile(public_key(recipient))
    spoiled = {**_headers(good), **_payloads(good)}
    return {name: one.encoded() for name, one in spoiled.items()}


def sound(recipient: str) -> bytes:
    """With nothing wrong: that the writer itself is right."""
    return AgeFile(public_key(recipient)).encoded()
