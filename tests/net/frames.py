"""Ethernet frames made by hand, for attempts that no well-behaved network stack would send."""

from __future__ import annotations

import ipaddress
import struct


def checksum(data: bytes) -> int:
    """RFC 1071."""
    data += b"\0" * (len(data) % 2)
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def raw(address: str) -> bytes:
    return ipaddress.ip_address(address).packed


def hexed(mac: str) -> bytes:
    return bytes.fromhex(mac.replace(":", ""))


def ethernet(target: str, source: str, packet: bytes) -> bytes:
    kind = 0x86DD if packet[0] >> 4 == 6 else 0x0800
    return hexed(target) + hexed(source) + struct.pack("!H", kind) + packet


def ipv4(source: str, target: str, protocol: int, payload: bytes, *, flags: int = 0, options: bytes = b"") -> bytes:
    """flags: the 16 bits of flags and fragment offset. options: a multiple of four bytes."""
    words, total = 5 + len(options) // 4, 20 + len(options) + len(payload)
    head = struct.pack("!BBHHHBBH4s4s", 64 + words, 0, total, 0x1234, flags, 64, protocol, 0, raw(source), raw(target))
    head += options
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


def ipv6(source: str, target: str, protocol: int, payload: bytes) -> bytes:
    return struct.pack("!IHBB", 6 << 28, len(payload), protocol, 64) + raw(source) + raw(target) + payload


def _sum(source: str, target: str, protocol: int, segment: bytes) -> int:
    if ":" in source:
        pseudo = raw(source) + raw(target) + struct.pack("!II", len(segment), protocol)
    else:
        pseudo = raw(source) + raw(target) + struct.pack("!BBH", 0, protocol, len(segment))
    return checksum(pseudo + segment)


def udp(source: str, target: str, port: int, payload: bytes, sport: int = 40000) -> bytes:
    segment = struct.pack("!HHHH", sport, port, 8 + len(payload), 0) + payload
    return segment[:6] + struct.pack("!H", _sum(source, target, 17, segment)) + segment[8:]


def tcp(source: str, target: str, port: int, flags: int, sport: int = 40001) -> bytes:
    segment = struct.pack("!HHIIBBHHH", sport, port, 1000, 2000, 0x50, flags, 8192, 0, 0)
    return segment[:16] + struct.pack("!H", _sum(source, target, 6, segment)) + segment[18:]


def ping6(source: str, target: str) -> bytes:
    body = struct.pack("!BBHHH", 128, 0, 0, 7, 1) + b"hiroba"
    return body[:2] + struct.pack("!H", _sum(source, target, 58, body)) + body[4:]


def ping4() -> bytes:
    body = struct.pack("!BBHHH", 8, 0, 0, 7, 1) + b"hiroba"
    return body[:2] + struct.pack("!H", checksum(body)) + body[4:]
