"""Frames by which a phone tells others what is not so: ARP, neighbour discovery, router advertisements, DHCP."""

from __future__ import annotations

import struct

from tests.net import frames as f

BROADCAST = "ff:ff:ff:ff:ff:ff"
ALL_NODES, ALL_NODES_MAC = "ff02::1", "33:33:00:00:00:01"
NOBODY = "0.0.0.0"  # noqa: S104 - the source of a phone without an address
REQUEST, REPLY = 1, 2
SOLICITED, OVERRIDE = 0x40, 0x20
SOURCE_MAC, TARGET_MAC = 1, 2
"""Options of neighbour discovery that hold a MAC (RFC 4861 §4.6.1)."""
DISCOVER, DHCP_REQUEST, DECLINE, RELEASE = 1, 3, 4, 7


def arp(
    frame_mac: str, sender_mac: str, sender_ip: str, target_ip: str, *, kind: int = REPLY, to: str = BROADCAST
) -> bytes:
    """ "``sender_ip`` is at ``sender_mac``", in a frame from ``frame_mac``."""
    body = struct.pack("!HHBBH", 1, 0x0800, 6, 4, kind) + f.hexed(sender_mac) + f.raw(sender_ip)
    return f.hexed(to) + f.hexed(frame_mac) + b"\x08\x06" + body + f.hexed(BROADCAST) + f.raw(target_ip)


def tagged(frame: bytes, vlan: int) -> bytes:
    """The frame with a tag of IEEE 802.1Q."""
    return frame[:12] + struct.pack("!HH", 0x8100, vlan) + frame[12:]


def icmp6(source: str, target: str, kind: int, body: bytes) -> bytes:
    """An ICMPv6 message with its checksum."""
    message = struct.pack("!BBH", kind, 0, 0) + body
    pseudo = f.raw(source) + f.raw(target) + struct.pack("!II", len(message), 58)
    return message[:2] + struct.pack("!H", f.checksum(pseudo + message)) + message[4:]


def mac_option(kind: int, mac: str) -> bytes:
    return bytes([kind, 1]) + f.hexed(mac)


def discovery(ends: tuple[str, str, str, str], message: bytes, before: bytes = b"") -> bytes:
    """A frame with a message of neighbour discovery: hop limit 255 (RFC 4861 §7.1). ends: the frame's MAC, source,
    target, and the MAC it goes to. before: extension headers, after a byte with the kind of the first one.
    """
    frame_mac, source, target, to = ends
    payload = before[1:] + message
    head = struct.pack("!IHBB", 6 << 28, len(payload), before[0] if before else 58, 255) + f.raw(source) + f.raw(target)
    return f.ethernet(to, frame_mac, head + payload)


def advertisement(
    frame_mac: str,
    source: str,
    about: str,
    mac: str,
    to: tuple[str, str],
    *,
    flags: int = OVERRIDE,
    before: bytes = b"",
) -> bytes:
    """ "``about`` is at ``mac``": to: (address, MAC) of who shall believe it."""
    body = bytes([flags, 0, 0, 0]) + f.raw(about) + (mac_option(TARGET_MAC, mac) if mac else b"")
    return discovery((frame_mac, source, *to), icmp6(source, to[0], 136, body), before)


def solicitation(frame_mac: str, source: str, about: str, mac: str, to: tuple[str, str]) -> bytes:
    """ "Who has ``about``? I am ``source`` at ``mac``"."""
    body = bytes(4) + f.raw(about) + (mac_option(SOURCE_MAC, mac) if mac else b"")
    return discovery((frame_mac, source, *to), icmp6(source, to[0], 135, body))


def router_solicitation(frame_mac: str, source: str, mac: str) -> bytes:
    body = bytes(4) + mac_option(SOURCE_MAC, mac)
    ends = (frame_mac, source, "ff02::2", "33:33:00:00:00:02")
    return discovery(ends, icmp6(source, "ff02::2", 133, body))


def router_advertisement(frame_mac: str, source: str, prefix: str) -> bytes:
    """A router that nobody asked for, with a prefix of its own (RFC 4861 §4.2)."""
    head = struct.pack("!BBHII", 64, 0, 1800, 0, 0)
    option = struct.pack("!BBBBIII", 3, 4, 64, 0xC0, 86400, 14400, 0) + f.raw(prefix)
    message = icmp6(source, ALL_NODES, 134, head + option)
    return discovery((frame_mac, source, ALL_NODES, ALL_NODES_MAC), message)


def fragments6(frame: bytes, size: int = 16) -> list[bytes]:
    """The frame's IPv6 packet in fragments of ``size`` bytes of payload."""
    ether, head, payload = frame[:14], frame[14:54], frame[54:]
    pieces = [payload[at : at + size] for at in range(0, len(payload), size)]
    made = []
    for number, piece in enumerate(pieces):
        more = number + 1 < len(pieces)
        header = struct.pack("!BBHI", head[6], 0, number * size | more, 77)
        made.append(ether + head[:4] + struct.pack("!HB", 8 + len(piece), 44) + head[7:] + header + piece)
    return made


def dhcp(frame_mac: str, chaddr: str, kind: int, *, source: str = NOBODY, client_id: bytes = b"", **more: str) -> bytes:
    """A message of a DHCP client. more: ``own`` (ciaddr), ``wanted`` (option 50), ``server`` (option 54)."""
    own = f.raw(more.get("own", NOBODY))
    head = struct.pack("!BBBBIHH", 1, 1, 6, 0, 0x1D0F, 0, 0x8000) + own + bytes(12) + f.hexed(chaddr) + bytes(10 + 192)
    options = bytes([53, 1, kind]) + (bytes([61, len(client_id)]) + client_id if client_id else b"")
    options += b"".join(
        bytes([code, 4]) + f.raw(more[name]) for code, name in ((50, "wanted"), (54, "server")) if name in more
    )
    payload = head + b"\x63\x82\x53\x63" + options + b"\xff"
    target = "255.255.255.255" if source == NOBODY else more["server"]
    return f.ethernet(BROADCAST, frame_mac, f.ipv4(source, target, 17, f.udp(source, target, 67, payload, 68)))
