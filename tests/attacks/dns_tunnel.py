"""A tunnel through a name server that forwards: the widest that DNS carries, over UDP or over TCP.

``python dns_tunnel.py server ADDRESS PORT``: the attacker's name server far away ("::": both families). Any question
is answered with TXT records: over TCP about 60 kB, over UDP 1,200 bytes.
``python dns_tunnel.py client RESOLVER ZONE udp|tcp SECONDS``: the attacker's phone. Asks for names
nobody asked for before, as fast as it can, and prints how many bytes of TXT came back.
"""

from __future__ import annotations

import secrets
import select
import socket
import struct
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

TXT, EDNS = 16, 41
UNDER_WAY, CONNECTIONS = 64, 16
_RECORD = struct.pack("!HHHIH", 0xC00C, TXT, 1, 0, 256) + b"\xff" + b"x" * 255


def answer(question: bytes, room: int) -> bytes:
    """As many records as fit into ``room`` bytes."""
    end = question.index(b"\0", 12) + 5
    count = max(1, (room - end - 11) // len(_RECORD))
    head = question[:2] + struct.pack("!HHHHH", 0x8580, 1, count, 0, 1)
    return head + question[12:end] + _RECORD * count + struct.pack("!BHHIH", 0, EDNS, 1232, 0, 0)


def ask(zone: str) -> bytes:
    """A question for TXT of a name below ``zone`` that no cache has; EDNS size 4096."""
    labels = [secrets.token_hex(20), *zone.split(".")]
    name = b"".join(bytes([len(label)]) + label.encode() for label in labels) + b"\0"
    head = secrets.token_bytes(2) + struct.pack("!HHHHH", 0x0100, 1, 0, 0, 1)
    return head + name + struct.pack("!HH", TXT, 1) + struct.pack("!BHHIH", 0, EDNS, 4096, 0, 0)


def serve(address: str, port: int) -> None:
    """Both transports, until killed."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    both = address == "::"
    listener = socket.create_server((address, port), family=family, dualstack_ipv6=both)
    threading.Thread(target=_serve_tcp, args=(listener,), daemon=True).start()
    with socket.socket(family, socket.SOCK_DGRAM) as plain:
        if both:
            plain.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        plain.bind((address, port))
        while True:
            question, origin = plain.recvfrom(4096)
            plain.sendto(answer(question, 1200), origin)


def _serve_tcp(listener: socket.socket) -> None:
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=_serve_connection, args=(connection,), daemon=True).start()


def _serve_connection(connection: socket.socket) -> None:
    with connection, suppress(OSError):
        for question in _frames(connection):
            sent = answer(question, 60_000)
            connection.sendall(struct.pack("!H", len(sent)) + sent)


def _frames(connection: socket.socket) -> Iterator[bytes]:
    held = b""
    while chunk := connection.recv(65536):
        held += chunk
        while len(held) >= 2 and len(held) >= 2 + int.from_bytes(held[:2], "big"):
            end = 2 + int.from_bytes(held[:2], "big")
            yield held[2:end]
            held = held[end:]


def carried_udp(resolver: str, zone: str, seconds: float) -> int:
    """Bytes of TXT that came."""
    got, until = 0, time.monotonic() + seconds
    family = socket.AF_INET6 if ":" in resolver else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as plain:
        plain.connect((resolver, 53))
        while time.monotonic() < until:
            with suppress(OSError):
                for _ in range(UNDER_WAY // 8):
                    plain.send(ask(zone))
            while select.select([plain], [], [], 0.02)[0]:
                with suppress(OSError):
                    got += plain.recv(65536).count(b"x")
    return got


def carried_tcp(resolver: str, zone: str, seconds: float) -> int:
    """Bytes of TXT that came, over many connections that are opened anew when they end."""
    until, counts = time.monotonic() + seconds, [0] * CONNECTIONS

    def pull(place: int) -> None:
        while time.monotonic() < until:
            with suppress(OSError), socket.create_connection((resolver, 53), timeout=1.0) as connection:
                connection.settimeout(0.5)
                while time.monotonic() < until:
                    question = ask(zone)
                    connection.sendall(struct.pack("!H", len(question)) + question)
                    with suppress(TimeoutError):
                        counts[place] += connection.recv(65536).count(b"x")
            time.sleep(0.05)

    threads = [threading.Thread(target=pull, args=(place,)) for place in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts)


def main(words: list[str]) -> None:
    """See above."""
    if words[0] == "server":
        serve(words[1], int(words[2]))
    resolver, zone, transport, seconds = words[1:5]
    carried = carried_tcp if transport == "tcp" else carried_udp
    sys.stdout.write(f"{carried(resolver, zone, float(seconds))}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
