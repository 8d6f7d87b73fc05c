"""Which phone began a connection to the portal: the mark that ``arrive`` gave it, a hash of the MAC in its first frame.

The mark stays with the connection, whatever its addresses are said to be afterwards. The seed is the gate's own, so
nobody can look for a MAC whose hash is another's (one in two thousand million). Numbers:
linux/netfilter/nfnetlink_conntrack.h, linux/jhash.h.
"""

from __future__ import annotations

import socket
import struct

from captive_portal.gate.kernel import netlink
from captive_portal.gate.kernel.netlink import NESTED, attribute

FIRST_PHONE_MARK = 2**31
"""Above the marks of sessions."""
MARKS = 2**31 - 1
_MASK = 0xFFFFFFFF


def phone_mark(mac: str, seed: int) -> int:
    """The mark of connections that begin with a frame of ``mac``: nft's ``jhash ether saddr mod MARKS seed SEED offset
    FIRST_PHONE_MARK``.
    """
    return FIRST_PHONE_MARK + (_jhash(bytes.fromhex(mac.replace(":", "")), seed) * MARKS >> 32)


def _jhash(key: bytes, seed: int) -> int:
    """The kernel's jhash of 6 bytes."""
    first, second = int.from_bytes(key[:4], "little"), int.from_bytes(key[4:], "little")
    start = 0xDEADBEEF + len(key) + seed
    a, b, c = (start + first) & _MASK, (start + second) & _MASK, start & _MASK
    c = ((c ^ b) - _left(b, 14)) & _MASK
    a = ((a ^ c) - _left(c, 11)) & _MASK
    b = ((b ^ a) - _left(a, 25)) & _MASK
    c = ((c ^ b) - _left(b, 16)) & _MASK
    a = ((a ^ c) - _left(c, 4)) & _MASK
    b = ((b ^ a) - _left(a, 14)) & _MASK
    return ((c ^ b) - _left(b, 24)) & _MASK


def _left(word: int, bits: int) -> int:
    return (word << bits | word >> 32 - bits) & _MASK


def connection_body(phone: tuple[str, int], portal: tuple[str, int]) -> bytes:
    """The body of a request for the TCP connection whose answers go from ``portal`` to ``phone`` (CTA_TUPLE_REPLY): the
    question's own target may have been any address.
    """
    family = socket.AF_INET6 if ":" in phone[0] else socket.AF_INET
    source, target = (3, 4) if family == socket.AF_INET6 else (1, 2)  # CTA_IP_V6_SRC, CTA_IP_V4_SRC
    addresses = attribute(source, socket.inet_pton(family, portal[0]))
    addresses += attribute(target, socket.inet_pton(family, phone[0]))
    ports = attribute(1, bytes([socket.IPPROTO_TCP])) + attribute(2, struct.pack(">H", portal[1]))
    ports += attribute(3, struct.pack(">H", phone[1]))
    tuples = attribute(1 | NESTED, addresses) + attribute(2 | NESTED, ports)
    return struct.pack(">BBH", family, 0, 0) + attribute(2 | NESTED, tuples)


def mark_of_connection(kernel: netlink.NetlinkSocket, phone: tuple[str, int], portal: tuple[str, int]) -> int:
    """The mark of that connection; 0 without one. Raises OSError."""
    try:
        answers = kernel.request(1 << 8 | 1, connection_body(phone, portal))  # IPCTNL_MSG_CT_GET
    except FileNotFoundError:
        return 0
    for _, body in answers:
        mark = dict(netlink.attributes(body[4:])).get(8)  # CTA_MARK
        if mark:
            return int.from_bytes(mark, "big")
    return 0
