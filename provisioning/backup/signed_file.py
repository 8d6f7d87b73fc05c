"""The file around an archive's encrypted payload: what is signed, and reading that checks before it gives.

MAGIC · payload (age) · statement (JSON) · signature (JSON) · footer (both lengths, END). A reader takes the footer, the
signature and the statement first, all bounded, and believes none of the payload before. Each segment of the payload is
held against the statement before its first byte is used, so a medium that answers differently the second time gains
nothing. Without Hiroba: ``tail -c +18 FILE | head -c PAYLOAD_BYTES | age -d -i KEY``.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import struct
from dataclasses import dataclass
from typing import IO

import msgspec

from provisioning.backup.errors import ArchiveDamaged, ArchiveUnsigned, SignatureInvalid
from provisioning.backup.signing import Anchors, Maker, Signature, Signer, Statement, check_signature, maker_of

MAGIC, END = b"hiroba-archive-2\n", b"HIROBA2\n"
AGE_MAGIC = b"age-encryption.org/"
"""How an archive of a release before this one begins: age and nothing around it, so nobody knows who made it."""
SEGMENT = 1 << 20
_FOOTER = struct.Struct(">II8s")
MAX_STATEMENT, MAX_SIGNATURE = 16 << 20, 16 << 10
"""Bytes. 16 MiB of segment sums stand for a payload of about 240 GiB."""


class SegmentSums:
    """A sink that passes everything on to ``sink`` and sums it up segment by segment."""

    def __init__(self, sink: IO[bytes]) -> None:
        self._sink, self._sum, self._in = sink, hashlib.sha256(), 0
        self._done: list[str] = []
        self.bytes = 0

    def write(self, content: bytes) -> int:
        """All of ``content``."""
        rest = memoryview(content)
        while rest:
            piece, rest = rest[: SEGMENT - self._in], rest[SEGMENT - self._in :]
            self._sum.update(piece)
            self._in += len(piece)
            self.bytes += len(piece)
            if self._in == SEGMENT:
                self._end()
        return self._sink.write(content)

    def flush(self) -> None:
        """The sink's owner flushes it."""

    def segments(self) -> list[str]:
        """The sums of all that was written; to be called once, at its end."""
        if self._in:
            self._end()
        return self._done

    def _end(self) -> None:
        self._done.append(self._sum.hexdigest())
        self._sum, self._in = hashlib.sha256(), 0


def write_signature(file: IO[bytes], statement: Statement, signer: Signer) -> None:
    """What follows the payload."""
    text = msgspec.json.encode(statement)
    signature = msgspec.json.encode(signer.sign(text))
    file.write(text + signature + _FOOTER.pack(len(text), len(signature), END))


@dataclass(frozen=True)
class SignedPayload:
    """An archive whose signature is good. source: open at nowhere in particular."""

    source: IO[bytes]
    statement: Statement
    maker: Maker

    def payload(self) -> SegmentReader:
        """Its encrypted bytes from the first one."""
        self.source.seek(len(MAGIC))
        return SegmentReader(self.source, self.statement)


def is_unsigned(source: IO[bytes]) -> bool:
    """Whether this is an archive of an earlier release."""
    source.seek(0)
    return source.read(len(AGE_MAGIC)) == AGE_MAGIC


def check(source: IO[bytes], name: str, anchors: Anchors) -> SignedPayload:
    """Who made the archive ``source``; nothing of its payload is read. Raises ArchiveUnsigned, ArchiveDamaged,
    SignatureInvalid, SignerUnknown.
    """
    if is_unsigned(source):
        raise ArchiveUnsigned(file=name)
    text, signature, payload = _parts(source, name)
    try:
        found = msgspec.json.decode(signature, type=Signature)
        key = check_signature(text, found)
        statement = msgspec.json.decode(text, type=Statement)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ArchiveDamaged(file=name, reason="signature") from error
    _check_sizes(statement, payload, name)
    return SignedPayload(source, statement, maker_of(statement.box, key, found.certificate, anchors))


def _parts(source: IO[bytes], name: str) -> tuple[bytes, bytes, int]:
    """(statement, signature, bytes of the payload)."""
    size = source.seek(0, os.SEEK_END)
    source.seek(0)
    if size < len(MAGIC) + _FOOTER.size or source.read(len(MAGIC)) != MAGIC:
        raise ArchiveDamaged(file=name, reason="not a back-up")
    source.seek(size - _FOOTER.size)
    of_statement, of_signature, end = _FOOTER.unpack(source.read(_FOOTER.size))
    payload = size - len(MAGIC) - _FOOTER.size - of_statement - of_signature
    if end != END or of_statement > MAX_STATEMENT or of_signature > MAX_SIGNATURE or payload < 0:
        raise ArchiveDamaged(file=name, reason="truncated or changed")
    source.seek(len(MAGIC) + payload)
    text, signature = source.read(of_statement), source.read(of_signature)
    if (len(text), len(signature)) != (of_statement, of_signature):
        raise ArchiveDamaged(file=name, reason="truncated or changed")
    return text, signature, payload


def _check_sizes(statement: Statement, payload: int, name: str) -> None:
    wanted = -(-payload // SEGMENT)
    if statement.segment_bytes != SEGMENT or statement.payload_bytes != payload or len(statement.segments) != wanted:
        raise ArchiveDamaged(file=name, reason="truncated or changed")


class SegmentReader:
    """The payload as a file to read; a segment that is not as signed ends it with SignatureInvalid, none of it given.
    failure: that exception, since a library between may report another one.
    """

    def __init__(self, source: IO[bytes], statement: Statement) -> None:
        self._source, self._left = source, statement.payload_bytes
        self._sums = iter(statement.segments)
        self._ahead = memoryview(b"")
        self.failure: Exception | None = None

    def read(self, size: int = -1) -> bytes:
        """At most ``size`` bytes, of one segment; none at the end."""
        if not self._ahead and self._left:
            self._ahead = memoryview(self._segment())
        size = len(self._ahead) if size < 0 else size
        taken, self._ahead = self._ahead[:size], self._ahead[size:]
        return bytes(taken)

    def _segment(self) -> bytes:
        try:
            found = self._source.read(min(SEGMENT, self._left))
        except OSError as error:
            self.failure = error
            raise
        self._left -= len(found)
        if not found or not hmac.compare_digest(hashlib.sha256(found).hexdigest(), next(self._sums, "")):
            self.failure = SignatureInvalid(reason="payload")
            raise self.failure
        return found
