"""A forger of papers: takes a PDF of the city apart, changes it, and puts it together so that every reader opens it.

It knows nothing of the product. Everything it makes is well-formed in the dialect of the press, so that a forgery is
not refused for its file alone.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field

_OBJECT = re.compile(rb"(\d+) 0 obj\n")


@dataclass
class Forger:
    """objects: number -> (dictionary or other value as text, stream unpacked or None)."""

    objects: dict[int, tuple[bytes, bytes | None]] = field(default_factory=dict)
    trailer: bytes = b""

    @staticmethod
    def of(pdf: bytes) -> Forger:
        made, place = Forger(), pdf.index(b"1 0 obj\n")
        while found := _OBJECT.match(pdf, place):
            number, begin = int(found[1]), found.end()
            stream = re.match(rb"<</Length (\d+)[^\n]*\nstream\n", pdf[begin : begin + 4000])
            if stream:
                body = begin + stream.end()
                packed = pdf[body : body + int(stream[1])]
                text = stream[0].removesuffix(b"\nstream\n")
                made.objects[number] = (text, zlib.decompress(packed) if b"/FlateDecode" in text else packed)
                place = body + int(stream[1]) + len(b"\nendstream\nendobj\n")
            else:
                end = pdf.index(b"\nendobj\n", begin)
                made.objects[number] = (pdf[begin:end], None)
                place = end + len(b"\nendobj\n")
        made.trailer = pdf[pdf.index(b"trailer\n", place) : pdf.index(b"startxref", place)]
        return made

    def find(self, *words: bytes) -> list[int]:
        """The objects whose text has all these words."""
        return [number for number, (text, _) in self.objects.items() if all(word in text for word in words)]

    @property
    def pages(self) -> list[int]:
        return self.find(b"/Type/Page/")

    def content_of(self, page: int) -> int:
        found = re.search(rb"/Contents (\d+) 0 R", self.objects[page][0])
        assert found
        return int(found[1])

    def edit(self, number: int, change: Callable[[bytes], bytes]) -> None:
        """Change an object's text."""
        text, stream = self.objects[number]
        changed = change(text)
        assert changed != text
        self.objects[number] = (changed, stream)

    def draw(self, page: int, change: Callable[[bytes], bytes]) -> None:
        """Change what a page draws."""
        number = self.content_of(page)
        text, stream = self.objects[number]
        assert stream is not None
        changed = change(stream)
        assert changed != stream
        self.objects[number] = (text, changed)

    def add(self, text: bytes, stream: bytes | None = None) -> int:
        """A further object; its number."""
        number = max(self.objects) + 1
        self.objects[number] = (text, stream)
        return number

    def add_resource(self, kind: bytes, name: bytes, number: int) -> None:
        for resources in self.find(b"/ProcSet"):
            self.edit(
                resources, lambda text: text.replace(b"/" + kind + b"<<", b"/%s<</%s %d 0 R" % (kind, name, number))
            )

    def written(self) -> bytes:
        body, places = b"%PDF-1.7\n%\x80\x80\x80\x80\n\n", []
        for number, (text, stream) in sorted(self.objects.items()):
            places.append(len(body))
            body += b"%d 0 obj\n" % number + _object(text, stream) + b"\nendobj\n"
        size = len(places) + 1
        table = b"".join(b"%010d 00000 n\r\n" % place for place in places)
        trailer = re.sub(rb"/Size \d+", b"/Size %d" % size, self.trailer)
        return body + b"xref\n0 %d\n0000000000 65535 f\r\n%s%sstartxref\n%d\n%%%%EOF" % (
            size,
            table,
            trailer,
            len(body),
        )


def _object(text: bytes, stream: bytes | None) -> bytes:
    if stream is None:
        return text
    packed = zlib.compress(stream) if b"/FlateDecode" in text else stream
    length = b"/Length %d" % len(packed)
    told = re.sub(rb"/Length \d+", length, text) if b"/Length" in text else b"<<" + length + text.removeprefix(b"<<")
    return told + b"\nstream\n" + packed + b"\nendstream"


def appended(pdf: bytes, number: int, text: bytes) -> bytes:
    """An incremental update (ISO 32000-1 §7.5.6) that replaces one object: the old file stands whole before it."""
    size = int(re.findall(rb"/Size (\d+)", pdf)[-1])
    root = re.findall(rb"/Root (\d+) 0 R", pdf)[-1]
    before = int(re.findall(rb"startxref\n(\d+)", pdf)[-1])
    place = len(pdf) + 1
    body = b"\n%d 0 obj\n%s\nendobj\n" % (number, text)
    start = len(pdf) + len(body)
    table = b"xref\n%d 1\n%010d 00000 n\r\n" % (number, place)
    trailer = b"trailer\n<</Size %d/Root %s 0 R/Prev %d>>\n" % (size, root, before)
    return pdf + body + table + trailer + b"startxref\n%d\n%%%%EOF" % start
