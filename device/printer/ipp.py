"""IPP messages as bytes: encoder and decoder (RFC 8010), the operations and values we use (RFC 8011). Pure."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum

from device.errors import PrinterError

MEDIA_TYPE = "application/ipp"
VERSION = (2, 0)


class NotIpp(PrinterError):
    """The bytes are no IPP message. facts: reason."""

    code = "printer.not_ipp"


class Operation(IntEnum):
    """operation-id (RFC 8011 §5.4.15)."""

    PRINT_JOB = 0x0002
    VALIDATE_JOB = 0x0004
    CREATE_JOB = 0x0005
    SEND_DOCUMENT = 0x0006
    CANCEL_JOB = 0x0008
    GET_JOB_ATTRIBUTES = 0x0009
    GET_JOBS = 0x000A
    GET_PRINTER_ATTRIBUTES = 0x000B


class Status(IntEnum):
    """status-code (RFC 8011 appendix B)."""

    OK = 0x0000
    BAD_REQUEST = 0x0400
    NOT_POSSIBLE = 0x0404
    NOT_FOUND = 0x0406
    DOCUMENT_FORMAT_NOT_SUPPORTED = 0x040A
    ATTRIBUTES_NOT_SUPPORTED = 0x040B
    DOCUMENT_FORMAT_ERROR = 0x0411
    OPERATION_NOT_SUPPORTED = 0x0501
    VERSION_NOT_SUPPORTED = 0x0503
    MULTIPLE_DOCUMENT_JOBS_NOT_SUPPORTED = 0x0509


class Tag(IntEnum):
    """Delimiter and value tags (RFC 8010 §3.5)."""

    OPERATION = 0x01
    JOB = 0x02
    END = 0x03
    PRINTER = 0x04
    UNSUPPORTED = 0x05
    NO_VALUE = 0x13
    INTEGER = 0x21
    BOOLEAN = 0x22
    ENUM = 0x23
    DATE_TIME = 0x31
    RESOLUTION = 0x32
    RANGE = 0x33
    BEGIN_COLLECTION = 0x34
    END_COLLECTION = 0x37
    TEXT = 0x41
    NAME = 0x42
    KEYWORD = 0x44
    URI = 0x45
    URI_SCHEME = 0x46
    CHARSET = 0x47
    LANGUAGE = 0x48
    MIME_TYPE = 0x49
    MEMBER_NAME = 0x4A


_DELIMITERS = range(0x01, 0x10)
_NUMBERS = (Tag.INTEGER, Tag.ENUM)
_STRINGS = range(0x40, 0x60)

Value = int | bool | str | bytes | tuple[int, int]
"""int, bool and str as their tags say, (low, high) for a range, bytes for every other syntax."""


_Read = tuple[str, int, list[Value]]
"""An attribute while its values are still being read."""


@dataclass(frozen=True)
class Attribute:
    """One attribute: its value tag and its values, in order."""

    name: str
    tag: int
    values: tuple[Value, ...]


@dataclass(frozen=True)
class Group:
    """One attribute group, by its delimiter tag."""

    tag: int
    attributes: tuple[Attribute, ...]

    def first(self, name: str) -> Value | None:
        """The first value of ``name``, or None."""
        values = self.all(name)
        return values[0] if values else None

    def all(self, name: str) -> tuple[Value, ...]:
        """Every value of ``name``; empty when it is not there."""
        return next((a.values for a in self.attributes if a.name == name), ())


@dataclass(frozen=True)
class IppMessage:
    """A request (code: operation-id) or a response (code: status-code), with the document behind it."""

    code: int
    request_id: int
    groups: tuple[Group, ...] = ()
    document: bytes = b""
    version: tuple[int, int] = VERSION

    def group(self, tag: int) -> Group:
        """The first group of that tag; an empty one when there is none."""
        return next((g for g in self.groups if g.tag == tag), Group(tag, ()))

    def every(self, tag: int) -> list[Group]:
        """All groups of that tag, as Get-Jobs answers."""
        return [g for g in self.groups if g.tag == tag]


def attribute(name: str, tag: int, *values: Value) -> Attribute:
    """Shorthand for ``Attribute``."""
    return Attribute(name, tag, values)


def encode(message: IppMessage) -> bytes:
    """RFC 8010 §3.1."""
    parts = [struct.pack(">BBHI", *message.version, message.code, message.request_id)]
    for group in message.groups:
        parts.append(bytes([group.tag]))
        parts.extend(_attribute(a) for a in group.attributes)
    return b"".join([*parts, bytes([Tag.END]), message.document])


def _attribute(given: Attribute) -> bytes:
    names = [given.name.encode(), *[b""] * (len(given.values) - 1)]
    return b"".join(
        struct.pack(">BH", given.tag, len(name)) + name + struct.pack(">H", len(raw)) + raw
        for name, raw in zip(names, map(_value, given.values), strict=True)
    )


def _value(value: Value) -> bytes:
    match value:
        case bool():
            return bytes([value])
        case int():
            return struct.pack(">i", value)
        case tuple():
            return struct.pack(">ii", *value)
        case str():
            return value.encode()
        case bytes():
            return value


def decode(raw: bytes) -> IppMessage:
    """The message in ``raw``. Raises NotIpp, and nothing else, whatever the bytes are."""
    try:
        return _decode(raw)
    except (struct.error, IndexError, UnicodeDecodeError) as error:
        raise NotIpp(reason=type(error).__name__) from error


def _decode(raw: bytes) -> IppMessage:
    major, minor, code, request_id = struct.unpack_from(">BBHI", raw)
    groups: list[tuple[int, list[_Read]]] = []
    at = 8
    while (tag := raw[at]) != Tag.END:
        if tag in _DELIMITERS:
            groups.append((tag, []))
            at += 1
            continue
        if not groups:
            raise NotIpp(reason="attribute before its group")
        at, name, value = _next(raw, at)
        _put(groups[-1][1], tag, name, value)
    found = tuple(Group(tag, tuple(map(_whole, attributes))) for tag, attributes in groups)
    return IppMessage(code, request_id, found, raw[at + 1 :], (major, minor))


def _next(raw: bytes, at: int) -> tuple[int, str, Value]:
    """The end of the attribute that begins at ``at``, its name ("" for another value of the last) and its value."""
    tag, name_length = struct.unpack_from(">BH", raw, at)
    at += 3
    name = _slice(raw, at, name_length).decode()
    at += name_length
    (length,) = struct.unpack_from(">H", raw, at)
    at += 2
    return at + length, name, _known(tag, _slice(raw, at, length))


def _slice(raw: bytes, at: int, length: int) -> bytes:
    if at + length > len(raw):
        raise NotIpp(reason="cut off")
    return raw[at : at + length]


def _known(tag: int, value: bytes) -> Value:
    if tag in _NUMBERS:
        return int(struct.unpack(">i", value)[0])
    if tag == Tag.BOOLEAN:
        return bool(value[0])
    if tag == Tag.RANGE:
        low, high = struct.unpack(">ii", value)
        return (low, high)
    return value.decode() if tag in _STRINGS else value


def _put(attributes: list[_Read], tag: int, name: str, value: Value) -> None:
    """A value without a name belongs to the attribute before it; members of collections are kept as they come. In time
    that does not depend on how many values there are.
    """
    if name:
        attributes.append((name, tag, [value]))
    elif attributes:
        attributes[-1][2].append(value)
    else:
        raise NotIpp(reason="value without an attribute")


def _whole(read: _Read) -> Attribute:
    name, tag, values = read
    return Attribute(name, tag, tuple(values))
