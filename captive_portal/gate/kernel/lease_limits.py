"""How many addresses a phone, a port and a whole spot may ask of the DHCP server, as nftables rules. Pure.

Whoever makes up hardware addresses (RFC 2131 §2, ``chaddr``) can take every address of a pool. So a pair of the frame's
MAC and ``chaddr`` that was not seen before is a new client, and new clients are few: for one MAC, for one port of the
bridge, for one spot. A new client that claims to have an address already (``ciaddr``) is not heard, because dnsmasq
would give it a whole lease at once; the clients of the lease file are known (``LimitWatch``). What a new client gets
first is a short lease (provisioning/box/render/dnsmasq.py), so that addresses nobody comes back for are free again.

The rules of a port stand in a table of the family bridge: in ``inet`` the port is not to be seen.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from captive_portal.settings import DhcpSettings, SpotSettings

PORT_TABLE = "hiroba_ports"
FIRST_LEASE_SECONDS = 120
"""dnsmasq's shortest."""
PER_PHONE = "3/second burst 12 packets"
NEW_PER_PHONE = "6/hour burst 4 packets"
"""More than one, for a phone behind a repeater, which puts its own MAC into the frame."""
PER_PORT = "30/second burst 200 packets"
CLIENTS_SET = "dhcp_clients"
OVER = "leases_over"
"""The counter of what was dropped, in both tables."""

_CHADDR, _CIADDR = "@th,288,48", "@th,160,32"
"""Behind eight bytes of UDP: offsets 28 and 12 of the message (RFC 2131 §2)."""
_CLIENT = f"ether saddr . {_CHADDR}"
_DROP = f"counter name {OVER} drop"
KNOWN_SECONDS = 7200.0
_REMEMBERED = f"timeout {KNOWN_SECONDS:.0f}s"


def pool_size(dhcp: DhcpSettings) -> int:
    """Addresses that a spot hands out."""
    return int(ipaddress.IPv4Address(dhcp.last)) - int(ipaddress.IPv4Address(dhcp.first)) + 1


def lease_sets() -> str:
    """Sets and counter that the chains use."""
    return f"""  set dhcp_rate {{ type ether_addr; size 65536; flags dynamic,timeout; timeout 1m; }}
  set dhcp_new {{ type ether_addr; size 65536; flags dynamic,timeout; timeout 1h; }}
  set {CLIENTS_SET} {{ typeof {_CLIENT}; size 65536; flags dynamic,timeout; timeout 2h; }}
  counter {OVER} {{ }}
"""


def lease_chain(number: int, spot: SpotSettings, accept: str) -> str:
    """``leases_N``: where a packet to UDP port 67 of the box is sent by ``goto``. A set that is full lets nobody new
    in: each packet is accepted by a rule that found or added its client.
    """
    size = pool_size(spot.dhcp) if spot.dhcp else 0
    lines = [
        f"update @dhcp_rate {{ ether saddr limit rate over {PER_PHONE} }} {_DROP}",
        f"{_CLIENT} @{CLIENTS_SET} update @{CLIENTS_SET} {{ {_CLIENT} {_REMEMBERED} }} {accept}",
        f"{_CIADDR} != 0 {_DROP}",
        f"update @dhcp_new {{ ether saddr limit rate over {NEW_PER_PHONE} }} {_DROP}",
        f"limit rate over {_new(size // 2, 30)} {_DROP}",
        f"update @{CLIENTS_SET} {{ {_CLIENT} {_REMEMBERED} }} {accept}",
        _DROP,
    ]
    return _chain(f"leases_{number}", lines)


def port_table(spots: Iterable[SpotSettings]) -> str:
    """The table of the bridges' ports, as nft commands; it replaces an older one. One port, where many phones may be
    behind an access point, brings a quarter of the largest pool at once and another in a minute, and all ports together
    twice that; the first leases of these are over in two minutes.
    """
    size = max((pool_size(spot.dhcp) for spot in spots if spot.dhcp), default=0)
    client = f"iifname . {_CHADDR}"
    lines = [
        f"update @port_rate {{ iifname limit rate over {PER_PORT} }} {_DROP}",
        f"{client} @port_clients update @port_clients {{ {client} {_REMEMBERED} }} accept",
        f"update @port_new {{ iifname limit rate over {_new(size // 4, 15)} }} {_DROP}",
        f"update @port_clients {{ {client} {_REMEMBERED} }} accept",
        _DROP,
    ]
    base = ["type filter hook input priority filter; policy accept;", "ip protocol udp udp dport 67 goto leases"]
    return f"""table bridge {PORT_TABLE}
delete table bridge {PORT_TABLE}
table bridge {PORT_TABLE} {{
  counter {OVER} {{ }}
  set port_rate {{ type ifname; size 4096; flags dynamic,timeout; timeout 1m; }}
  set port_new {{ type ifname; size 4096; flags dynamic,timeout; timeout 1h; }}
  set port_clients {{ typeof {client}; size 65536; flags dynamic,timeout; timeout 2h; }}
{_chain("leases", lines)}{_chain("input", base)}}}
"""


def _new(clients: int, least: int) -> str:
    """A rate of new clients; ``least`` where the pool is small or unknown."""
    few = max(clients, least)
    return f"{few}/minute burst {few} packets"


def _chain(name: str, lines: list[str]) -> str:
    body = "\n".join(f"    {line}" for line in lines)
    return f"\n  chain {name} {{\n{body}\n  }}\n"
