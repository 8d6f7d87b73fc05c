"""Named counters of a table as netlink messages. Pure. Numbers are of linux/netfilter/nf_tables.h, named there."""

from __future__ import annotations

import struct

from captive_portal.gate.kernel.netlink import attribute, attributes

GET = 10 << 8 | 19
"""NFNL_SUBSYS_NFTABLES, NFT_MSG_GETOBJ."""
BRIDGE = 7
"""NFPROTO_BRIDGE."""
TABLE, NAME, DATA = 1, 2, 4
"""NFTA_OBJ_*."""
PACKETS = 2
"""NFTA_COUNTER_PACKETS."""


def get_all_body(family: int, table: str) -> bytes:
    """The body of a request for all objects of a table, of which the tables here have counters alone."""
    return struct.pack(">BBH", family, 0, 0) + attribute(TABLE, table.encode() + b"\0")


def reading(body: bytes) -> tuple[str, int]:
    """(name, packets) of one answer."""
    facts = dict(attributes(body[4:]))
    counter = dict(attributes(facts.get(DATA, b"")))
    name = facts.get(NAME, b"").rstrip(b"\0").decode("ascii", "replace")
    return name, int.from_bytes(counter.get(PACKETS, b""), "big")
