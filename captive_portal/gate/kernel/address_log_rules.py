"""Notes the IPv6 addresses that phones send from, for the connection log (``source_addresses`` reads them). Pure.

The packet filter notes them from the packets themselves: a phone makes its own addresses, and the neighbour table is
what phones say of each other.
"""

from __future__ import annotations

SET = "sources6"
KEPT_SECONDS = 3600
"""An address is noted anew with each connection, and forgotten so long after its last one."""
NEW_ADDRESSES = "4/minute burst 40 packets"
"""Of one phone; a phone of today has fewer than ten at a time. Above it, and in a full set, a packet from an address
that is not noted is dropped: none passes without being in the log.
"""


def source_set() -> str:
    """The sets of the chain."""
    flags = f"size 65536; flags dynamic,timeout; timeout {KEPT_SECONDS}s;"
    return f"""  set {SET} {{ type ether_addr . ipv6_addr; {flags} }}
  set {SET}_new {{ type ether_addr; {flags} }}
"""


def source_chain() -> str:
    """``sources6``: where the first packet of a session's connection over IPv6 is sent by ``jump``."""
    pair = f"ether saddr . ip6 saddr @{SET} update @{SET} {{ ether saddr . ip6 saddr }} return"
    return f"""
  chain {SET} {{
    {pair}
    update @{SET}_new {{ ether saddr limit rate over {NEW_ADDRESSES} }} drop
    update @{SET} {{ ether saddr . ip6 saddr }} return
    drop
  }}
"""
