"""A whole PDF file of our press: its objects lie one after another without a gap, and nothing lies behind its end.

So there is one way to read the file: no second version by an incremental update, no object that only some readers find,
nothing between objects. Object streams and cross-reference streams are not on the list. Pure.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace

from device.strict_pdf.syntax import Name, Reference, Scanner, Value, refused

DIGEST_BYTES = 16
MAX_FILE = 20 * 2**20
MAX_OBJECTS = 5_000
MAX_STREAM = 16 * 2**20
"""Bytes of one stream once unpacked; the subset of a font is far smaller."""
_HEAD = re.compile(rb"%PDF-1\.[4-7]\n(?:%[\x80-\xff]{4}\n\n?)?")
_OBJECT = re.compile(rb"([1-9]\d{0,8}) 0 obj\n")
_LENGTH = re.compile(rb"/Length \d+")
_LENGTH_KEYS = {"Length", "Filter"}


@dataclass(frozen=True)
class PdfObject:
    """One object. raw: as it is written, from its value to its end; packed: its stream as it is stored."""

    number: int
    value: Value
    raw: bytes
    packed: bytes | None = None

    def with_stream(self, packed: bytes) -> PdfObject:
        """The same dictionary over another packed stream. Raises NotOurPdf when it has none."""
        entries = _LENGTH.sub(b"/Length %d" % len(packed), self.raw[: self.raw.index(b"\nstream\n")], count=1)
        if self.packed is None:
            raise refused()
        value = {**self.dictionary, "Length": float(len(packed))}
        return PdfObject(self.number, value, entries + b"\nstream\n" + packed + b"\nendstream", packed)

    @property
    def dictionary(self) -> dict[str, Value]:
        """Its value, which must be a dictionary. Raises NotOurPdf."""
        if not isinstance(self.value, dict):
            raise refused()
        return self.value

    def stream(self) -> bytes:
        """Its stream unpacked. Raises NotOurPdf."""
        if self.packed is None or self.dictionary.get("Filter", "FlateDecode") != "FlateDecode":
            raise refused()
        if "Filter" not in self.dictionary:
            return self.packed
        unpack = zlib.decompressobj()
        try:
            found = unpack.decompress(self.packed, MAX_STREAM)
        except zlib.error as error:
            raise refused() from error
        if not unpack.eof or unpack.unused_data:
            raise refused()
        return found


@dataclass(frozen=True)
class PdfFile:
    """objects: by number, in the order of the file. root, info: of the trailer; info None: there is none. head,
    trailer: as they are written.
    """

    objects: Mapping[int, PdfObject]
    root: PdfObject
    info: PdfObject | None
    head: bytes
    trailer: bytes

    def follow(self, value: Value) -> PdfObject:
        """The object that ``value`` refers to. Raises NotOurPdf."""
        if not isinstance(value, Reference) or value.number not in self.objects:
            raise refused()
        return self.objects[value.number]


def read(pdf: bytes) -> PdfFile:
    """The file in ``pdf``. Raises NotOurPdf."""
    if len(pdf) > MAX_FILE:
        raise refused()
    scanner = Scanner(pdf)
    head = scanner.match(_HEAD)
    if head is None:
        raise refused()
    objects, places = _objects(scanner)
    start = scanner.place
    first = b"xref\n0 %d\n0000000000 65535 f \n" % (len(places) + 1)
    scanner.expect(_table(places, b" \n" if pdf.startswith(first, start) else b"\r\n"))
    scanner.expect(b"trailer\n")
    begin, trailer = scanner.place, scanner.value()
    told = pdf[begin : scanner.place]
    scanner.expect(b"\nstartxref\n%d\n%%%%EOF" % start)
    if pdf[scanner.place :] not in (b"", b"\n") or not isinstance(trailer, dict):
        raise refused()
    if not {"Size", "Root"} <= trailer.keys() <= {"Size", "Root", "Info", "ID"} or trailer["Size"] != len(places) + 1:
        raise refused()
    file = PdfFile(objects, next(iter(objects.values())), None, head[0], told)
    info = file.follow(trailer["Info"]) if "Info" in trailer else None
    return replace(file, root=file.follow(trailer["Root"]), info=info)


def written(file: PdfFile) -> bytes:
    """The file as bytes; what ``read`` gives, it writes."""
    parts, places, place = [file.head], [], len(file.head)
    for number, found in file.objects.items():
        part = b"%d 0 obj\n%s\nendobj\n" % (number, found.raw)
        places.append(place)
        parts.append(part)
        place += len(part)
    end = b"trailer\n%s\nstartxref\n%d\n%%%%EOF" % (file.trailer, place)
    return b"".join([*parts, _table(places, b"\r\n"), end])


def document_digest(file: PdfFile, without: frozenset[int]) -> bytes:
    """The first 16 bytes of SHA-256 over every object of the file, each with its number and length, streams unpacked.
    Of the streams of the objects in ``without`` nothing counts. So two files of one digest differ in those streams, in
    how streams are packed, in the place of objects and in the file's identifiers alone. Raises NotOurPdf.
    """
    digest = hashlib.sha256()
    for number, found in file.objects.items():
        content = found.raw if found.packed is None else _entries(found)
        if found.packed is not None and number not in without:
            content += found.stream()
        digest.update(b"%d %d %d\n" % (number, number in without, len(content)) + content)
    for kept in (file.root, file.info):
        digest.update(b"%d\n" % (kept.number if kept else 0))
    return digest.digest()[:DIGEST_BYTES]


def _entries(found: PdfObject) -> bytes:
    return repr(
        sorted((key, repr(value)) for key, value in found.dictionary.items() if key not in _LENGTH_KEYS)
    ).encode()


def _objects(scanner: Scanner) -> tuple[dict[int, PdfObject], list[int]]:
    """The objects 1, 2, 3 … and where each begins."""
    found: dict[int, PdfObject] = {}
    places: list[int] = []
    while True:
        begin = scanner.place
        head = scanner.match(_OBJECT)
        if head is None:
            break
        if int(head[1]) != len(found) + 1 or len(found) >= MAX_OBJECTS:
            raise refused()
        places.append(begin)
        found[len(places)] = _object(scanner, len(places))
    if not found:
        raise refused()
    return found, places


def _object(scanner: Scanner, number: int) -> PdfObject:
    begin, value, packed = scanner.place, scanner.value(), None
    if scanner.take(b"\nstream\n"):
        length = value.get("Length") if isinstance(value, dict) else None
        if not isinstance(length, float) or not 0 <= length <= MAX_STREAM or length != int(length):
            raise refused()
        packed = scanner.content[scanner.place : scanner.place + int(length)]
        scanner.place += int(length)
        scanner.expect(b"\nendstream")
    raw = scanner.content[begin : scanner.place]
    scanner.expect(b"\nendobj\n")
    return PdfObject(number, value, raw, packed)


def _table(places: list[int], end: bytes) -> bytes:
    """The only cross-reference table that fits objects at these places. end: of its lines, one of two (§7.5.4)."""
    lines = [b"0000000000 65535 f" + end, *(b"%010d 00000 n" % place + end for place in places)]
    return b"xref\n0 %d\n" % (len(places) + 1) + b"".join(lines)


def is_stream_of(found: PdfObject, *keys: str) -> bool:
    """Whether it is a stream whose dictionary has no keys beside ``keys``."""
    return found.packed is not None and found.dictionary.keys() <= _LENGTH_KEYS | set(keys)


def is_name(value: Value, name: str) -> bool:
    """Whether ``value`` is the PDF name ``name``."""
    return isinstance(value, Name) and value == name
