"""The objects of a PDF (ISO 32000-1 §7.3) as our press writes them, and no other way to write them. Pure.

A dictionary with one key twice, a comment, a reference to another generation and the like are refused: readers differ
in what they make of them, and a paper must look the same to everybody.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias

from device.errors import PrinterError

MAX_DEPTH = 8
_SPACE = re.compile(rb"[ \n]*")
_NUMBER = re.compile(rb"[+-]?(?:\d{1,10}(?:\.\d{1,10})?|\.\d{1,10})(?![\d.])")
_REFERENCE = re.compile(rb"([1-9]\d{0,8}) 0 R(?![A-Za-z0-9])")
_NAME = re.compile(rb"/([A-Za-z0-9+_.\-]+)")
_FLAT_LITERAL = re.compile(rb"\(([^()\\\r\n]*(?:\\(?:[nrtbf()\\]|[0-7]{3})[^()\\\r\n]*)*)\)")
_LITERAL_PART = re.compile(rb"[()]|[^()\\\r\n]+|\\(?:[nrtbf()\\]|[0-7]{3})")
_HEX = re.compile(rb"<((?:[0-9A-Fa-f]{2})*)>")
_WORD = re.compile(rb"(true|false|null)(?![A-Za-z0-9])")
_WORDS: dict[bytes, bool | None] = {b"true": True, b"false": False, b"null": None}


class NotOurPdf(PrinterError):
    """The bytes are no PDF of our press. facts: reason, one word of REASONS in page_rules."""

    code = "printer.not_our_pdf"


class Name(str):
    """A PDF name, without its slash."""

    __slots__ = ()


@dataclass(frozen=True)
class Reference:
    """A reference to object ``number`` of generation 0."""

    number: int


Value: TypeAlias = "bool | float | bytes | Name | Reference | list[Value] | dict[str, Value] | None"
"""bytes: a string as it is written between its brackets."""


class Scanner:
    """Reads values of ``content`` one after another from ``place``."""

    def __init__(self, content: bytes, place: int = 0) -> None:
        self.content = content
        self.place = place

    def take(self, literal: bytes) -> bool:
        """Whether ``literal`` stands here; then it is passed."""
        if not self.content.startswith(literal, self.place):
            return False
        self.place += len(literal)
        return True

    def expect(self, literal: bytes) -> None:
        """Raises NotOurPdf when ``literal`` does not stand here."""
        if not self.take(literal):
            raise refused()

    def match(self, pattern: re.Pattern[bytes]) -> re.Match[bytes] | None:
        """What ``pattern`` finds here; then it is passed."""
        found = pattern.match(self.content, self.place)
        if found:
            self.place = found.end()
        return found

    def value(self, depth: int = 0) -> Value:
        """The value that begins here. Raises NotOurPdf."""
        if depth > MAX_DEPTH:
            raise refused()
        if self.take(b"<<"):
            return self._dictionary(depth)
        if self.take(b"["):
            return self._array(depth)
        return self._scalar()

    def _scalar(self) -> Value:
        if found := self.match(_REFERENCE):
            return Reference(int(found[1]))
        if found := self.match(_NUMBER):
            return float(found[0])
        if found := self.match(_NAME):
            return Name(found[1].decode("ascii"))
        if (text := self.string()) is not None:
            return text
        if found := self.match(_WORD):
            return _WORDS[found[1]]
        raise refused()

    def string(self) -> bytes | None:
        """The string that begins here, as it is written between its brackets; None: there is none."""
        if found := self.match(_FLAT_LITERAL) or self.match(_HEX):
            return found[1]
        return self._nested_literal() if self.content.startswith(b"(", self.place) else None

    def _nested_literal(self) -> bytes:
        """A string with brackets in it, which need no escape while they are balanced (§7.3.4.2)."""
        begin, depth = self.place + 1, 0
        while part := self.match(_LITERAL_PART):
            depth += {b"(": 1, b")": -1}.get(part[0], 0)
            if depth == 0:
                return self.content[begin : self.place - 1]
        raise refused()

    def _array(self, depth: int) -> list[Value]:
        found: list[Value] = []
        while not self._closed(b"]"):
            found.append(self.value(depth + 1))
        return found

    def _dictionary(self, depth: int) -> dict[str, Value]:
        found: dict[str, Value] = {}
        while not self._closed(b">>"):
            key = self.match(_NAME)
            if key is None or (name := key[1].decode("ascii")) in found:
                raise refused()
            self.match(_SPACE)
            found[name] = self.value(depth + 1)
        return found

    def _closed(self, end: bytes) -> bool:
        self.match(_SPACE)
        return self.take(end)


def refused(reason: str = "structure") -> NotOurPdf:
    """The error for what is not on the white-list."""
    return NotOurPdf(reason=reason)
