"""The chain of the connection log: each sealed box is bound to the plaza box, its number and its day, to the one before
it, and signed by the plaza box. Pure.

What is carried away ends with a signed statement of what it holds, so that a record that was dropped, changed, dated
anew, brought from another box or made up is named. Signatures are Ed25519 (RFC 8032) over the lines of ``signed_text``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import msgspec

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

Sealing = Callable[[bytes], bytes]
"""Makes the sealed box, bound to these bytes."""
FIRST_PREVIOUS = "0" * 64


class ChainLink(msgspec.Struct, frozen=True, kw_only=True):
    """box: the plaza box's name; number: from 1; day: of the write, ISO 8601; previous: hash of the link before;
    sealed: SHA-256 of the sealed box. All hashes and the signature in hex. Stored as JSON under these field names.
    """

    box: str
    number: int
    day: str
    previous: str
    sealed: str
    signature: str = ""

    def signed_text(self) -> bytes:
        """What is signed."""
        return "\n".join(
            ["hiroba connection log link 2", self.box, str(self.number), self.day, self.previous, self.sealed]
        ).encode()

    def bound_to(self) -> bytes:
        """What the sealed box itself is bound to, so that it opens nowhere else."""
        return "\n".join([self.box, str(self.number), self.day]).encode()

    def hash(self) -> str:
        """By which the next link names this one."""
        return hashlib.sha256(self.signed_text() + b"\n" + self.signature.encode()).hexdigest()


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """What a box says it handed over: links ``first`` to ``last`` (0 and 0: none) of the days asked for, the end of its
    chain, ``head_number`` and ``head``, and unsigned, the digest of the records without a link. signer: its public key.
    """

    box: str
    signer: str
    from_day: str
    to_day: str
    first: int
    last: int
    head_number: int
    head: str
    unsigned: str
    taken_at: str
    signature: str = ""

    def signed_text(self) -> bytes:
        """What is signed."""
        numbers = [str(n) for n in (self.first, self.last, self.head_number)]
        place = ["hiroba connection log statement 2", self.box, self.signer, self.from_day, self.to_day]
        return "\n".join([*place, *numbers, self.head, self.unsigned, self.taken_at]).encode()


class Record(NamedTuple):
    """One row of the log: its day, the sealed box, and its link; None for one of a release without a chain."""

    day: str
    box: bytes
    link: ChainLink | None = None


class Problem(NamedTuple):
    """code: "unsigned", "forged", "changed", "redated", "missing", "replaced", "unsigned_changed", "no_statement" or
    "foreign_statement". first, last: numbers, 0 where there is none; day: where it stands.
    """

    code: str
    first: int = 0
    last: int = 0
    day: str = ""


class Signer:
    """Signs links and statements. private: 32 bytes of an Ed25519 key."""

    def __init__(self, private: bytes) -> None:
        self._private = private

    @property
    def public(self) -> str:
        """In hex."""
        return self._key().public_key().public_bytes_raw().hex()

    def link(self, box: str, day: str, after: tuple[int, str], seal: Sealing) -> Record:
        """The next record. after: number and hash of the link before; seal: the entries, bound to a link."""
        number, previous = after[0] + 1, after[1]
        plain = ChainLink(box=box, number=number, day=day, previous=previous, sealed="")
        sealed = seal(plain.bound_to())
        link = msgspec.structs.replace(plain, sealed=hashlib.sha256(sealed).hexdigest())
        return Record(day, sealed, msgspec.structs.replace(link, signature=self._sign(link.signed_text())))

    def state(self, statement: Statement) -> Statement:
        """The statement with its signature."""
        return msgspec.structs.replace(statement, signature=self._sign(statement.signed_text()))

    def _sign(self, text: bytes) -> str:
        return self._key().sign(text).hex()

    def _key(self) -> Ed25519PrivateKey:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        return Ed25519PrivateKey.from_private_bytes(self._private)


def verify(records: Sequence[Record], statement: Statement | None, signer: str) -> tuple[list[Record], list[Problem]]:
    """(records that are the box's own, what is wrong). signer: the public key that city hall knows, in hex. Records
    from before the first link are told as unsigned and are taken; unsigned ones after it are not.
    """
    good: list[Record] = []
    problems: list[Problem] = []
    signed = False
    for record in records:
        problem = _problem_of(record, signer, signed_before=signed)
        signed |= record.link is not None
        problems += [problem] if problem else []
        if problem is None or problem.code == "unsigned":
            good.append(record)
    links = [record.link for record in records if record.link is not None]
    return good, [*problems, *_breaks(links), *_against(statement, records, good, signer)]


def _problem_of(record: Record, signer: str, *, signed_before: bool) -> Problem | None:
    link = record.link
    if link is None:
        return Problem("forged" if signed_before else "unsigned", day=record.day)
    where = Problem("", link.number, link.number, record.day)
    if not signature_fits(signer, link.signature, link.signed_text()):
        return where._replace(code="forged")
    if hashlib.sha256(record.box).hexdigest() != link.sealed:
        return where._replace(code="changed")
    return where._replace(code="redated") if record.day != link.day else None


def _breaks(links: Sequence[ChainLink]) -> Iterator[Problem]:
    for before, link in pairwise(links):
        if link.number > before.number + 1:
            yield Problem("missing", before.number + 1, link.number - 1, link.day)
        elif link.number <= before.number or link.previous != before.hash():
            yield Problem("replaced", link.number, link.number, link.day)


def _against(
    statement: Statement | None, records: Sequence[Record], good: Sequence[Record], signer: str
) -> Iterator[Problem]:
    """What the statement says was handed over, at both ends."""
    links = [record.link for record in good if record.link]
    if statement is None:
        if links or signer:
            yield Problem("no_statement")
        return
    if statement.signer != signer or not signature_fits(signer, statement.signature, statement.signed_text()):
        yield Problem("foreign_statement")
        return
    if statement.unsigned != unsigned_digest(records):
        yield Problem("unsigned_changed")
    if not links:
        if statement.last:
            yield Problem("missing", statement.first, statement.last)
        return
    if links[0].number > statement.first:
        yield Problem("missing", statement.first, links[0].number - 1, links[0].day)
    if links[-1].number < statement.last:
        yield Problem("missing", links[-1].number + 1, statement.last, links[-1].day)
    if links[-1].number > statement.last or (
        links[-1].number == statement.head_number and links[-1].hash() != statement.head
    ):
        yield Problem("replaced", links[-1].number, links[-1].number, links[-1].day)


def signature_fits(public: str, signature: str, text: bytes) -> bool:
    """Whether ``signature`` is of ``text`` by the key ``public``, all in hex; False for anything malformed."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public)).verify(bytes.fromhex(signature), text)
    except (InvalidSignature, ValueError):
        return False
    return True


def unsigned_digest(records: Iterable[Record]) -> str:
    """Over days and sealed boxes of the records without a link, in hex."""
    digest = hashlib.sha256()
    for record in records:
        if record.link is None:
            digest.update(f"{record.day}\n{hashlib.sha256(record.box).hexdigest()}\n".encode())
    return digest.hexdigest()


def numbers(records: Iterable[Record]) -> tuple[int, int]:
    """First and last number of signed records; (0, 0) for none."""
    found = [record.link.number for record in records if record.link]
    return (min(found), max(found)) if found else (0, 0)
