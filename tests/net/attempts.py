"""The table of ways to pass the gate without a session. One line, one attempt; each aims at an address of its own on
the far side, so that a single frame that arrives there names the attempt that leaked.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass

from tests.net import frames as f


@dataclass(frozen=True)
class KnownAddresses:
    """What an attacker knows: own MAC and addresses, the gateway's, a phone online, and a session that has ended."""

    mac: str
    ip4: str
    ip6: str
    gateway_mac: str
    online_mac: str
    online_ip4: str
    online_ip6: str
    ended_mac: str
    ended_ip4: str
    ended_ip6: str


Frames = Callable[[KnownAddresses, str], list[bytes]]


@dataclass(frozen=True)
class Attempt:
    """family 4 or 6; send: the frames. honest: online, the same must arrive (else it proves nothing)."""

    name: str
    family: int
    send: Frames
    honest: bool = True


def _tcp(port: int, flags: int = 0x02, sport: int = 40001) -> Frames:
    def send(known: KnownAddresses, to: str) -> list[bytes]:
        own = known.ip6 if ":" in to else known.ip4
        return [_packet(known, own, to, 6, f.tcp(own, to, port, flags, sport))]

    return send


def _udp(port: int, payload: bytes = b"hiroba", sport: int = 40000) -> Frames:
    def send(known: KnownAddresses, to: str) -> list[bytes]:
        own = known.ip6 if ":" in to else known.ip4
        return [_packet(known, own, to, 17, f.udp(own, to, port, payload, sport))]

    return send


def _packet(known: KnownAddresses, own: str, to: str, protocol: int, payload: bytes) -> bytes:
    packet = f.ipv6(own, to, protocol, payload) if ":" in to else f.ipv4(own, to, protocol, payload)
    return f.ethernet(known.gateway_mac, known.mac, packet)


def _protocol(number: int, payload: bytes = b"\0" * 24) -> Frames:
    return lambda known, to: [_packet(known, known.ip6 if ":" in to else known.ip4, to, number, payload)]


def _ping(known: KnownAddresses, to: str) -> list[bytes]:
    if ":" in to:
        return [_packet(known, known.ip6, to, 58, f.ping6(known.ip6, to))]
    return [_packet(known, known.ip4, to, 1, f.ping4())]


def _fragments4(known: KnownAddresses, to: str) -> list[bytes]:
    whole = f.udp(known.ip4, to, 53, b"x" * 64)
    first = f.ipv4(known.ip4, to, 17, whole[:24], flags=0x2000)
    return [
        f.ethernet(known.gateway_mac, known.mac, part)
        for part in (first, f.ipv4(known.ip4, to, 17, whole[24:], flags=3))
    ]


def _late_fragment4(known: KnownAddresses, to: str) -> list[bytes]:
    return [f.ethernet(known.gateway_mac, known.mac, f.ipv4(known.ip4, to, 17, b"x" * 64, flags=185))]


def _options4(options: bytes) -> Frames:
    def send(known: KnownAddresses, to: str) -> list[bytes]:
        packet = f.ipv4(known.ip4, to, 17, f.udp(known.ip4, to, 53, b"x"), options=options)
        return [f.ethernet(known.gateway_mac, known.mac, packet)]

    return send


def _from(
    source: Callable[[KnownAddresses], str], mac: Callable[[KnownAddresses], str] = lambda known: known.mac
) -> Frames:
    """A DNS-like datagram and a SYN with a source address and a source MAC of choice."""

    def send(known: KnownAddresses, to: str) -> list[bytes]:
        own = source(known)
        build = f.ipv6 if ":" in to else f.ipv4
        packets = [build(own, to, 17, f.udp(own, to, 53, b"x")), build(own, to, 6, f.tcp(own, to, 443, 2))]
        return [f.ethernet(known.gateway_mac, mac(known), packet) for packet in packets]

    return send


def _header6(kind: int, body: bytes) -> Frames:
    """One extension header before UDP. body: the header after its first byte (next header)."""

    def send(known: KnownAddresses, to: str) -> list[bytes]:
        payload = bytes([17]) + body + f.udp(known.ip6, to, 53, b"x")
        return [_packet(known, known.ip6, to, kind, payload)]

    return send


def _fragments6(known: KnownAddresses, to: str) -> list[bytes]:
    whole = f.udp(known.ip6, to, 53, b"x" * 64)
    head = [bytes([17, 0, 0, 1, 0, 0, 0, 9]), bytes([17, 0, 0, 24, 0, 0, 0, 9])]
    return [_packet(known, known.ip6, to, 44, head[i] + part) for i, part in enumerate((whole[:24], whole[24:]))]


def _broadcast_frame(known: KnownAddresses, to: str) -> list[bytes]:
    return [f.ethernet("ff:ff:ff:ff:ff:ff", known.mac, f.ipv4(known.ip4, to, 17, f.udp(known.ip4, to, 53, b"x")))]


def _inside(protocol: int, head: bytes = b"") -> Frames:
    """A packet for the far side wrapped in one for the box: a tunnel's end that opens it would pass it on."""

    def send(known: KnownAddresses, to: str) -> list[bytes]:
        inner = (
            f.ipv6(known.ip6, to, 17, f.udp(known.ip6, to, 53, b"x"))
            if ":" in to
            else f.ipv4(known.ip4, to, 17, f.udp(known.ip4, to, 53, b"x"))
        )
        return [f.ethernet(known.gateway_mac, known.mac, f.ipv4(known.ip4, "10.90.0.1", protocol, head + inner))]

    return send


PADDING = bytes([0, 1, 4, 0, 0, 0, 0])

UNTRACKED = ("gre", "esp", "ah", "ip in ip", "ipv6 in ip", "l2tp", "sctp", "udp-lite", "dccp")
"""Not translated by every kernel's conntrack, and then dropped: with IPv4 they prove nothing."""

ATTEMPTS = [
    *[
        Attempt(f"v{family} {name}", family, send, honest=family == 6 or name not in UNTRACKED)
        for family in (4, 6)
        for name, send in {
            "https": _tcp(443),
            "ssh": _tcp(22),
            "smtp": _tcp(25),
            "dns over tcp": _tcp(53),
            "dns over tls": _tcp(853),
            "proxy": _tcp(8080),
            "foreign dns": _udp(53, b"\x12\x34\x01\x00\x00\x01" + b"\0" * 20),
            "dns from port 53": _udp(53, b"x" * 30, 53),
            "quic": _udp(443, b"\xc0" + b"x" * 1199),
            "foreign ntp": _udp(123, b"\x23" + b"\0" * 47),
            "wireguard": _udp(51820, b"\x01\0\0\0" + b"x" * 144),
            "ipsec": _udp(500),
            "stun": _udp(3478),
            "ping": _ping,
            "gre": _protocol(47, b"\0\0\x08\0" + b"x" * 20),
            "esp": _protocol(50),
            "ah": _protocol(51, bytes([17, 4]) + b"\0" * 22),
            "ip in ip": _protocol(4, b"\x45\0\0\x14" + b"\0" * 16),
            "ipv6 in ip": _protocol(41, b"\x60" + b"\0" * 39),
            "l2tp": _protocol(115),
            "sctp": _protocol(132, struct.pack("!HHII", 40006, 443, 0, 0) + b"\1\0\0\x14" + b"\0\0\0\1" * 4),
            "udp-lite": _protocol(136, struct.pack("!HHHH", 40007, 53, 8, 0) + b"x" * 16),
            "dccp": _protocol(33, struct.pack("!HHBBH", 40008, 443, 4, 0, 0) + b"\0" * 12),
        }.items()
    ],
    *[
        Attempt(f"v{family} {name}", family, send, honest=False)
        for family in (4, 6)
        for name, send in {
            "web (redirected)": _tcp(80),
            "ack without syn": _tcp(443, 0x10, 40002),
            "fin alone": _tcp(443, 0x01, 40003),
            "no flags": _tcp(443, 0, 40004),
            "all flags": _tcp(443, 0x3F, 40005),
            "syn and ack": _tcp(443, 0x12, 40006),
            "from the dhcp port": _udp(67, b"\x01" * 240, 68),
        }.items()
    ],
    *[
        Attempt(f"v{family} {name} to the box", family, _inside(protocol, head), honest=False)
        for name, family, protocol, head in (
            ("ip in ip", 4, 4, b""),
            ("gre", 4, 47, b"\0\0\x08\0"),
            ("ipv6 in ip", 6, 41, b""),
            ("gre", 6, 47, b"\0\0\x86\xdd"),
        )
    ],
    Attempt("v4 two fragments", 4, _fragments4),
    Attempt("v4 late fragment", 4, _late_fragment4, honest=False),
    Attempt("v4 record route", 4, _options4(b"\x07\x07\x04\0\0\0\0\0")),
    Attempt("v4 loose source route", 4, _options4(b"\x83\x07\x04\x0a\x5a\0\x01\0"), honest=False),
    Attempt("v4 in a broadcast frame", 4, _broadcast_frame, honest=False),
    Attempt("v4 address of an online phone", 4, _from(lambda a: a.online_ip4), honest=False),
    Attempt("v4 address of the gateway", 4, _from(lambda _: "10.90.0.1"), honest=False),
    Attempt("v4 address of no network here", 4, _from(lambda _: "203.0.113.9"), honest=False),
    Attempt("v4 address of the uplink", 4, _from(lambda _: "198.18.0.2"), honest=False),
    Attempt("v4 address zero", 4, _from(lambda _: "0.0.0.0"), honest=False),  # noqa: S104 - a source address
    Attempt(
        "v4 MAC and address of an ended session", 4, _from(lambda a: a.ended_ip4, lambda a: a.ended_mac), honest=False
    ),
    Attempt(
        "v4 MAC of an online phone, another address", 4, _from(lambda a: a.ip4, lambda a: a.online_mac), honest=False
    ),
    Attempt("v6 hop-by-hop header", 6, _header6(0, b"\0" + PADDING[1:])),
    Attempt("v6 destination options", 6, _header6(60, b"\0" + PADDING[1:])),
    Attempt("v6 routing header", 6, _header6(43, b"\0\x02\0\0\0\0\0"), honest=False),
    Attempt("v6 atomic fragment", 6, _header6(44, b"\0\0\0\0\0\0\x07"), honest=False),
    Attempt("v6 two fragments", 6, _fragments6),
    Attempt("v6 address of an online phone", 6, _from(lambda a: a.online_ip6), honest=False),
    Attempt("v6 address of the gateway", 6, _from(lambda _: "fd00:90::1"), honest=False),
    Attempt("v6 address of no network here", 6, _from(lambda _: "2001:db8:99::9"), honest=False),
    Attempt("v6 link-local address", 6, _from(lambda _: "fe80::1234"), honest=False),
    Attempt(
        "v6 MAC and address of an ended session", 6, _from(lambda a: a.ended_ip6, lambda a: a.ended_mac), honest=False
    ),
]


def target(number: int) -> str:
    """The far address of attempt ``number``."""
    family = ATTEMPTS[number].family
    return f"198.19.{number >> 8}.{number & 255}" if family == 4 else f"2001:db8:f:1::{number:x}"
