"""Rules that hold a phone to its own addresses, by the source MAC of its frames. Pure: settings in, text of rules out.

An address has one holder, a MAC:

- leased: the MAC to which dnsmasq gave the IPv4 address (``leased4``, ``leased``; the gate writes them).
- first come: otherwise the MAC that used the address first, or asked first whether it is free (RFC 4862 §5.4), until it
  has been silent for FORGET (FCFS SAVI, RFC 6620; ``seen4``, ``seen6``: address and MAC; ``held4``, ``held6``: the
  address; ``phone4``, ``phone6``: the address's MAC).
  A phone may have as many IPv6 addresses as it likes (RFC 4941), but makes new ones no faster than NEW_ADDRESSES.

The chain ``source`` sees each packet before conntrack puts fragments together. It marks the packets of holders
VERIFIED and drops those of others; ``arrive`` takes no packet without that mark, so a missing piece shuts.
Neighbour discovery is read there too: the MAC in its option must be the frame's, the target of an advertisement must
be the phone's own address, and nothing may stand before it (RFC 6980 forbids fragments of it).

The table ``arp hiroba_arp`` does the same for ARP. Sets cannot be shared with another family, so it has its own.

Equal MACs: nftables cannot compare two fields of a packet. ``same`` gets the pair of the frame's MAC with itself, and
then the pair of the frame's MAC with the MAC in the message is looked up there. An entry consists of two equal halves
whatever happens, so it proves nothing wrong about a later packet.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv6Address

from captive_portal.gate.policy.session import network4
from captive_portal.settings import SpotSettings, WifiSettings

ARP_TABLE = "hiroba_arp"
VERIFIED = 6
"""The mark of a packet whose source address belongs to the MAC that sent it."""
FORGET = "10m"
NEW_ADDRESSES = "limit rate over 15/minute burst 120 packets"
"""More than a phone makes by itself, and few enough that hundreds of phones cannot fill the sets."""
FRAME_MAC, SOURCE6, TARGET6 = "@ll,48,48", "@nh,64,128", "@th,64,128"
"""As raw bytes: the frame's source MAC, the IPv6 source, the target of neighbour discovery (nft has no name for it)."""

ARP_SETS = ("arp_leased4", "arp_leased", "arp_seen4", "arp_held4")
"""Sets of the table for ARP that the gate writes or repairs."""
_LEASES = """
  set {0}leased4 {{ type ipv4_addr . ether_addr; size 65536; }}
  set {0}leased {{ type ipv4_addr; size 65536; }}
"""
_DYNAMIC = f"size 65536; flags dynamic,timeout; timeout {FORGET};"
_SAME = f"set same {{ typeof {FRAME_MAC} . {FRAME_MAC}; size 65536; flags dynamic,timeout; timeout 3s; }}"
SETS = f"""{_LEASES.format("")}
  set own6 {{ typeof {SOURCE6}; size 1024; }}
  set seen4 {{ type ipv4_addr . ether_addr; {_DYNAMIC} }}
  set held4 {{ type ipv4_addr; {_DYNAMIC} }}
  map phone4 {{ type ipv4_addr : ether_addr; {_DYNAMIC} }}
  set seen6 {{ typeof {SOURCE6} . {FRAME_MAC}; {_DYNAMIC} }}
  set held6 {{ typeof {SOURCE6}; {_DYNAMIC} }}
  map phone6 {{ typeof {SOURCE6} : ether saddr; {_DYNAMIC} }}
  set newcomers {{ type ether_addr; {_DYNAMIC} }}
  {_SAME}
"""

DISCOVERY = f"""
  chain discovery {{
    ip6 nexthdr != icmpv6 drop
    update @same {{ {FRAME_MAC} . {FRAME_MAC} }}
    icmpv6 type nd-router-solicit ip6 length 8 return
    icmpv6 type nd-router-solicit ip6 length 16 @th,64,16 0x0101 {FRAME_MAC} . @th,80,48 @same return
    icmpv6 type nd-neighbor-solicit ip6 saddr :: ip6 length 24 goto discovery_target
    icmpv6 type nd-neighbor-solicit ip6 saddr :: ip6 length 32 @th,192,16 0x0e01 goto discovery_target
    icmpv6 type nd-neighbor-solicit ip6 length 24 return
    icmpv6 type nd-neighbor-solicit ip6 length 32 @th,192,16 0x0101 {FRAME_MAC} . @th,208,48 @same return
    icmpv6 type nd-neighbor-advert ip6 length 24 goto discovery_target
    icmpv6 type nd-neighbor-advert ip6 length 32 @th,192,16 0x0201 {FRAME_MAC} . @th,208,48 @same goto discovery_target
    drop
  }}
"""
"""Router and neighbour solicitations and advertisements: bare, or with one option: the frame's own MAC, or the nonce of
address detection (RFC 7527). Detection of an address of the box is dropped as well: it would make the box give up an
address that it is just taking.
"""
DHCP = f"""
  chain dhcp {{
    update @same {{ {FRAME_MAC} . {FRAME_MAC} }}
    meta nfproto ipv4 @th,64,24 0x010106 @th,256,32 0 {FRAME_MAC} . @th,288,48 @same return
    drop
  }}
"""
"""A request (RFC 2131 §2) whose chaddr is the frame's MAC, not relayed (giaddr 0): nobody asks, renews, declines or
releases for another.
"""


def source_chains(spots: Sequence[tuple[int, SpotSettings]]) -> str:
    """The base chain ``source`` and what it leads to, for the first table."""
    into = "\n".join(f'    iifname "{spot.interface}" goto source_{n}' for n, spot in spots)
    return f"""
  chain discovery_target {{
    {TARGET6} {_gateways6(spots)} drop
    {TARGET6} @own6 drop
{_first_come(6, TARGET6, FRAME_MAC, "return")}
    drop
  }}
{DISCOVERY}{DHCP}{"".join(_source(n, spot) for n, spot in spots)}
  chain source {{ type filter hook prerouting priority -450; policy accept;
{into}
  }}
"""


def arp_table(settings: WifiSettings) -> str:
    """The table for ARP, as nft commands; it replaces an older one."""
    spots = list(enumerate(settings.spots))
    into = "\n".join(f'    iifname "{spot.interface}" goto input_{n}' for n, spot in spots)
    return f"""table arp {ARP_TABLE}
delete table arp {ARP_TABLE}
table arp {ARP_TABLE} {{{_LEASES.format("arp_")}
  set arp_seen4 {{ type ipv4_addr . ether_addr; {_DYNAMIC} }}
  set arp_held4 {{ type ipv4_addr; {_DYNAMIC} }}
  set newcomers {{ type ether_addr; {_DYNAMIC} }}
  {_SAME}
{"".join(_arp_input(n, spot) for n, spot in spots)}
  chain input {{ type filter hook input priority filter; policy accept;
{into}
  }}
}}
"""


def _source(n: int, spot: SpotSettings) -> str:
    v4, six = network4(spot), spot.ipv6.mode != "off"
    networks = ", ".join(["fe80::/10", "::", *([spot.ipv6.network] if six else [])])
    own = ", ".join(["fe80::/10", "ff00::/8", *([spot.ipv6.gateway] if six else [])])
    verified = f"meta mark set {VERIFIED} return"
    return f"""
  chain source_{n} {{
    meta nfproto ipv6 goto source6_{n}
    ip saddr 0.0.0.0 ip frag-off & 0x3fff == 0 udp sport 68 udp dport 67 {verified}
    ip saddr != {v4} drop
    ip saddr {{ {v4.network_address}, {spot.ipv4.gateway}, {v4.broadcast_address} }} drop
    ip saddr . ether saddr @leased4 {verified}
    ip saddr @leased drop
{_first_come(4, "ip saddr", "ether saddr", verified)}
    drop
  }}
  chain source6_{n} {{
    ip6 saddr != {{ {networks} }} drop
    {SOURCE6} @own6 drop{f"{chr(10)}    ip6 saddr {spot.ipv6.gateway} drop" if six else ""}
    ip6 daddr {{ {own} }} exthdr frag exists drop
    icmpv6 type {{ nd-router-advert, nd-redirect }} drop
    icmpv6 type {{ nd-router-solicit, nd-neighbor-solicit, nd-neighbor-advert }} jump discovery
    ip6 saddr :: icmpv6 type {{ nd-router-solicit, nd-neighbor-solicit, mld2-listener-report }} {verified}
    ip6 saddr :: drop
{_first_come(6, SOURCE6, FRAME_MAC, verified)}
    drop
  }}
"""


def _arp_input(n: int, spot: SpotSettings) -> str:
    """Requests and replies for IPv4 over Ethernet, about the sender itself. An address of zero asks whether somebody
    has an address (RFC 5227); the kernel learns nothing from it.
    """
    v4 = network4(spot)
    return f"""
  chain input_{n} {{
    arp htype != 1 drop
    arp ptype != ip drop
    arp hlen != 6 drop
    arp plen != 4 drop
    arp operation != {{ request, reply }} drop
    update @same {{ {FRAME_MAC} . {FRAME_MAC} }}
    {FRAME_MAC} . @nh,64,48 != @same drop
    arp operation request arp saddr ip 0.0.0.0 accept
    arp saddr ip != {v4} drop
    arp saddr ip {{ {v4.network_address}, {spot.ipv4.gateway}, {v4.broadcast_address} }} drop
    arp saddr ip . ether saddr @arp_leased4 accept
    arp saddr ip @arp_leased drop
{_first_come(4, "arp saddr ip", "ether saddr", "accept", prefix="arp_")}
    drop
  }}
"""


def _first_come(family: int, address: str, mac: str, verdict: str, *, prefix: str = "") -> str:
    """The holder of ``address`` gets ``verdict``, others are dropped; an address without holder gets one."""
    pair, held = f"{{ {address} . {mac} }}", f"{{ {address} }}"
    sets = [f"@{prefix}seen{family} {pair}", f"@{prefix}held{family} {held}"]
    sets += [] if prefix else [f"@phone{family} {{ {address} : ether saddr }}"]
    renew, claim = (" ".join(f"{how} {each}" for each in sets) for how in ("update", "add"))
    return f"""    {address} . {mac} @{prefix}seen{family} {renew} {verdict}
    {address} @{prefix}held{family} drop
    update @newcomers {{ ether saddr {NEW_ADDRESSES} }} drop
    {claim} {verdict}"""


def _gateways6(spots: Sequence[tuple[int, SpotSettings]]) -> str:
    own = [int(IPv6Address(spot.ipv6.gateway)) for _, spot in spots if spot.ipv6.mode != "off"]
    return f"{{ {', '.join(f'0x{number:032x}' for number in own or [1])} }}"
