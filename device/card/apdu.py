"""Command APDUs as values (ISO/IEC 7816-4 §5), and wrappers that continue and count what goes over a transport."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from device.card.transport import CardTransport, Response
from device.errors import CardProtocolError

OK = 0x9000
WHOLE_SHORT = 256
"""Le 00: as many bytes as a short answer holds."""
WHOLE_EXTENDED = 65536
"""Le 0000: as many bytes as an extended answer holds."""
_MAX_CONTINUATIONS = 40
"""Of one answer; the longest file that we read has 8 parts of 256 bytes."""


class Command(NamedTuple):
    """One command APDU. ``le`` is the number of bytes wanted (1–65536), None for none."""

    cla: int
    ins: int
    p1: int
    p2: int
    data: bytes = b""
    le: int | None = None

    @property
    def extended(self) -> bool:
        """Whether it needs extended length fields."""
        return len(self.data) > 255 or (self.le or 0) > WHOLE_SHORT

    def encode(self) -> bytes:
        """The bytes to send, in the shortest form."""
        head = bytes([self.cla, self.ins, self.p1, self.p2])
        width = 2 if self.extended else 1
        marker = b"\0" if self.extended else b""
        lc = marker + len(self.data).to_bytes(width, "big") if self.data else b""
        le = b"" if self.le is None else (self.le % 256**width).to_bytes(width, "big")
        return head + lc + self.data + (le if self.data or self.le is None else marker + le)

    @classmethod
    def parse(cls, apdu: bytes) -> Command:
        """The command in ``apdu``, all seven cases. Raises ValueError for anything malformed."""
        if len(apdu) < 4:
            raise ValueError("shorter than a header")
        cla, ins, p1, p2 = apdu[:4]
        data, le = _body(apdu[4:])
        return cls(cla, ins, p1, p2, data, le)


def _body(body: bytes) -> tuple[bytes, int | None]:
    if not body:
        return b"", None
    if body[0] == 0 and len(body) > 1:
        return _extended_body(body[1:])
    if len(body) == 1:
        return b"", body[0] or WHOLE_SHORT
    return _split(body[1:], body[0], 1)


def _extended_body(body: bytes) -> tuple[bytes, int | None]:
    if len(body) < 2:
        raise ValueError("length cut short")
    length = int.from_bytes(body[:2], "big")
    if len(body) == 2:
        return b"", length or WHOLE_EXTENDED
    if length == 0:
        raise ValueError("no data where Lc announces some")
    return _split(body[2:], length, 2)


def _split(rest: bytes, length: int, width: int) -> tuple[bytes, int | None]:
    data, tail = rest[:length], rest[length:]
    if len(data) != length or len(tail) not in {0, width}:
        raise ValueError("Lc does not fit")
    return data, (int.from_bytes(tail, "big") or 256**width) if tail else None


def select_application(aid: bytes) -> Command:
    """SELECT by AID, no FCI wanted."""
    return Command(0x00, 0xA4, 0x04, 0x0C, aid)


def select_file(file: int) -> Command:
    """SELECT an EF below the current application; only P1=02 works on the card (docs/sources.md#card-commands)."""
    return Command(0x00, 0xA4, 0x02, 0x0C, file.to_bytes(2, "big"))


def read_binary(offset: int, le: int) -> Command:
    """READ BINARY of the current EF from ``offset`` (0–0x7FFF)."""
    return Command(0x00, 0xB0, offset >> 8, offset & 0xFF, le=le)


def read_short_file(file: int, le: int) -> Command:
    """READ BINARY from the start of an EF named by its short id, without a SELECT."""
    return Command(0x00, 0xB0, 0x80 | file, 0x00, le=le)


def pin_status(reference: int) -> Command:
    """VERIFY without a body: tells the tries left and costs none (docs/sources.md#card-commands)."""
    return Command(0x00, 0x20, 0x00, reference)


def verify(reference: int, pin: bytes) -> Command:
    """VERIFY. ``reference`` 0x80 is the current PIN EF, 0x80 + EF names one by short id."""
    return Command(0x00, 0x20, 0x00, reference, pin)


def sign(digest_info: bytes) -> Command:
    """COMPUTE DIGITAL SIGNATURE with the current key EF; the card pads (docs/sources.md#card-commands)."""
    return Command(0x80, 0x2A, 0x00, 0x80, digest_info, WHOLE_SHORT)


def get_response(le: int) -> Command:
    """GET RESPONSE, after 61xx."""
    return Command(0x00, 0xC0, 0x00, 0x00, le=le)


class Continued:
    """Follows 61xx with GET RESPONSE and repeats after 6Cxx with the right Le (ISO/IEC 7816-4 §5.6)."""

    def __init__(self, inner: CardTransport) -> None:
        self._inner = inner

    def transmit(self, apdu: bytes) -> Response:
        """See CardTransport. Raises CardProtocolError when a card never comes to an end."""
        response = self._inner.transmit(apdu)
        if response.sw >> 8 == 0x6C:
            response = self._inner.transmit(Command.parse(apdu)._replace(le=_wanted(response.sw)).encode())
        parts = [response.data]
        for _ in range(_MAX_CONTINUATIONS):
            if response.sw >> 8 != 0x61:
                return Response(b"".join(parts), response.sw)
            response = self._inner.transmit(get_response(_wanted(response.sw)).encode())
            parts.append(response.data)
            if not response.data and response.sw >> 8 == 0x61:
                break  # it says that there is more, and gives none of it
        raise CardProtocolError(sw=f"{response.sw:04X}", command="get_response")

    def close(self) -> None:
        """See CardTransport."""
        self._inner.close()


def _wanted(sw: int) -> int:
    return sw & 0xFF or WHOLE_SHORT


class Counted:
    """Counts the commands that went over a transport, and tells each to ``trace`` without anything personal:
    header, lengths and status word only, so a PIN or a certificate never shows.
    """

    def __init__(self, inner: CardTransport, trace: Callable[[str], object] | None = None) -> None:
        self.count = 0
        self._inner = inner
        self._trace = trace

    def transmit(self, apdu: bytes) -> Response:
        """See CardTransport."""
        self.count += 1
        response = self._inner.transmit(apdu)
        if self._trace is not None:
            self._trace(f"{apdu[:4].hex(' ')} +{len(apdu) - 4} -> {len(response.data)} {response.sw:04x}")
        return response

    def close(self) -> None:
        """See CardTransport."""
        self._inner.close()
