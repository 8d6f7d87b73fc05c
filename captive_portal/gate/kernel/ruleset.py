"""The nftables table of a site. Pure: settings in, text of the rules out.

How a packet of a phone is classified, for IPv4 and IPv6 alike:

0. ``source`` (prerouting, before everything): the source address must belong to the MAC of the frame (source_rules).
   A new connection to the ports of the portal gets the hash of that MAC as its mark, so that the gate can say later
   which phone began it (connection_marks).
1. ``arrive`` (prerouting, after conntrack): the source must lie in the spot's networks. A packet for the box is marked
   BOX. Any other is looked up: IPv4 by (MAC . leased IP) in ``up4``, IPv6 by (interface . MAC) in ``up6`` (a phone
   makes its own IPv6 addresses, so the MAC is the key and the prefix is checked). The map gives the session's mark,
   counts the bytes, and its element has the session's time-out, so that sessions end without
   the gate as well. The mark is written to the connection too. No element: WAITING.
2. ``forward``, upwards: the packet's own mark decides, packet by packet; there is no established-accept before it.
3. ``forward``, downwards: the connection's mark must be in ``live``. When a session ends its mark is removed from
   ``live`` and both directions stop with that packet, before the tracked connections are deleted.

The walled garden: dnsmasq adds addresses to ``garden4`` and ``garden6`` for an hour when their names are looked up, but
not when it answers from its cache, and it does not renew the time-out of an address that is in the set. To cover that
gap, an address that a phone used meanwhile stays in ``garden_used4`` or ``garden_used6`` for an hour from then. Its own
use does not renew it, so that an address which the name no longer has is closed after two hours at most.

The second table, ``hiroba_guard``, has base chains of its own behind those of the first: it drops every packet from
or to a phone on which the first table has not set PASSED. So a base chain of the first table that is missing or empty
passes nothing; while the guard is missing, the first table decides as before.

A routing rule beside both tables (``routing_rules``) prohibits forwarding of packets without a mark: after a flush of
the ruleset nothing is forwarded until the gate has installed it again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from captive_portal.gate.kernel.address_log_rules import SET as SOURCES
from captive_portal.gate.kernel.address_log_rules import source_chain, source_set
from captive_portal.gate.kernel.closed_networks import closed4, closed6
from captive_portal.gate.kernel.connection_marks import FIRST_PHONE_MARK, MARKS
from captive_portal.gate.kernel.dns_limits import dns_chains, dns_sets
from captive_portal.gate.kernel.lease_limits import lease_chain, lease_sets, port_table
from captive_portal.gate.kernel.source_rules import ARP_SETS, ARP_TABLE, VERIFIED, arp_table, source_chains
from captive_portal.gate.kernel.source_rules import SETS as SOURCE_SETS
from captive_portal.gate.policy.session import FIRST_MARK, network4
from captive_portal.settings import SpotSettings, WifiSettings

TABLE = "hiroba"
GUARD_TABLE = "hiroba_guard"
BOX, WAITING, GARDEN, DISASTER, PASSED = 1, 2, 3, 4, 5
"""Marks with a fixed meaning; sessions have FIRST_MARK and above. PASSED replaces the packet's mark where the first
table accepts it in ``forward`` or ``box``: the proof that the guard asks for.
"""
ACCEPT = f"meta mark set {PASSED} accept"

SETS = """
  map up4 { type ether_addr . ipv4_addr : mark; size 65536; flags timeout; counter; }
  map up6 { type ifname . ether_addr : mark; size 65536; flags timeout; counter; }
  set live { type mark; size 65536; flags timeout; counter; }
  set slow { type mark; size 65536; flags timeout; }
  set blocked { type ether_addr; size 65536; }
  set disaster { type ifname; size 64; flags timeout; }
  set disaster_phones { type ifname . ether_addr; size 65536; flags dynamic,timeout; timeout 90s; }
  set disaster_up { type ifname; size 64; flags dynamic,timeout; timeout 1d; }
  set disaster_down { type ifname; size 64; flags dynamic,timeout; timeout 1d; }
  set garden4 { type ipv4_addr; size 65536; flags timeout; timeout 1h; }
  set garden6 { type ipv6_addr; size 65536; flags timeout; timeout 1h; }
  set garden_used4 { type ipv4_addr; size 65536; flags dynamic,timeout; timeout 1h; }
  set garden_used6 { type ipv6_addr; size 65536; flags dynamic,timeout; timeout 1h; }
  set box_rate { type ether_addr; size 65536; flags dynamic,timeout; timeout 1m; }
  set portal_connections { type ether_addr; size 65536; flags dynamic; }
"""
MAX_CONNECTIONS = 64
"""Connections that one phone may have to the portal at once, by its MAC: it makes itself as many IPv6 addresses as it
likes. nginx counts requests by address, and none of a connection that never sends a whole one.
"""

REFUSE = """
  chain refuse {
    limit rate over 2000/second burst 2000 packets drop
    meta l4proto tcp reject with tcp reset
    reject with icmpx type admin-prohibited
  }
"""


def table(settings: WifiSettings, uplinks: Mapping[str, Sequence[str]] | None = None, seed: int = 0) -> str:
    """The tables without elements, as nft commands; they replace older ones. uplinks: the networks of each uplink;
    seed: of connection_marks.
    """
    spots = list(enumerate(settings.spots))
    port, tls = settings.portal.port, settings.portal.tls_port
    parts = [
        SETS,
        SOURCE_SETS,
        dns_sets(),
        lease_sets(),
        source_set() + source_chain(),
        *(_rate_limit_sets(n, s) for n, s in spots),
        REFUSE,
        source_chains(spots),
        dns_chains([spot.interface for spot in settings.spots], ACCEPT),
        *(lease_chain(n, s, ACCEPT) for n, s in spots),
        *(_spot_chains(n, s, (port, tls), (uplinks or {}).get(s.uplink, ()), seed) for n, s in spots),
    ]
    head = f"table inet {TABLE}\ndelete table inet {TABLE}\ntable inet {TABLE} {{\n"
    first = head + "\n".join(parts) + _base_chains(settings, spots) + "}\n"
    return first + _guard_table(settings) + port_table(settings.spots) + arp_table(settings)


def table_of(kind: str) -> tuple[str, str]:
    """(family, table) of the set ``kind``."""
    return ("arp", ARP_TABLE) if kind in ARP_SETS else ("inet", TABLE)


def _guard_table(settings: WifiSettings) -> str:
    """Two or three comparisons for a packet. It has no sets and no chain that another one jumps to: nothing in it can
    be emptied but its base chains.
    """
    lan = ", ".join(f'"{spot.interface}"' for spot in settings.spots)
    return f"""table inet {GUARD_TABLE}
delete table inet {GUARD_TABLE}
table inet {GUARD_TABLE} {{
  chain forward {{ type filter hook forward priority filter + 10; policy accept;
    meta mark {PASSED} accept
    iifname {{ {lan} }} drop
    oifname {{ {lan} }} drop
  }}
  chain box {{ type filter hook input priority filter + 10; policy accept;
    iifname {{ {lan} }} meta mark != {PASSED} drop
    {_portal_only_from_lan(settings)}
  }}
}}
"""


def _base_chains(settings: WifiSettings, spots: list[tuple[int, SpotSettings]]) -> str:
    lan = ", ".join(f'"{s.interface}"' for _, s in spots)
    up = "\n".join(f'    iifname "{s.interface}" jump up_{n}' for n, s in spots)
    down = "\n".join(f'    oifname "{s.interface}" jump down_{n}' for n, s in spots)
    into = "\n".join(f'    iifname "{s.interface}" jump box_{n}' for n, s in spots)
    arrive = "\n".join(f'    iifname "{s.interface}" goto arrive_{n}' for n, s in spots)
    portal = "\n".join(f'    iifname "{s.interface}" goto portal_{n}' for n, s in spots)
    source_nat = "\n".join(_source_nat(s) for _, s in spots)
    portal_only = "\n".join(_gateway_only_from_lan(s, lan) for _, s in spots)
    return f"""
  chain arrive {{ type filter hook prerouting priority mangle; policy accept;
{arrive}
  }}
  chain portal {{ type nat hook prerouting priority dstnat; policy accept;
{portal}
  }}
  chain forward {{ type filter hook forward priority filter; policy drop;
    iifname != {{ {lan} }} oifname != {{ {lan} }} accept
{up}
{down}
  }}
  chain box {{ type filter hook input priority filter; policy accept;
{into}
    iifname {{ {lan} }} drop
    {_portal_only_from_lan(settings)}
{portal_only}
  }}
  chain leave {{ type nat hook postrouting priority srcnat; policy accept;
{source_nat}
  }}
"""


def _spot_chains(n: int, spot: SpotSettings, ports: tuple[int, int], uplink: Sequence[str], seed: int) -> str:
    passing = _up(n, spot, uplink) + _down(n, spot)
    return _arrive(n, spot, ports, seed) + _portal(n, spot, *ports) + passing + _box(n, spot, *ports)


def _arrive(n: int, spot: SpotSettings, ports: tuple[int, int], seed: int) -> str:
    v4 = network4(spot)
    own6 = ", ".join(["fe80::/10", "ff00::/8", *([spot.ipv6.gateway] if spot.ipv6.mode != "off" else [])])
    hashed = f"jhash ether saddr mod {MARKS} seed 0x{seed:08x} offset {FIRST_PHONE_MARK}"
    mark_used = "\n    ".join(
        f"{ip} daddr @garden{v} update @garden_used{v} {{ {ip} daddr }}" for ip, v in (("ip", 4), ("ip6", 6))
    )
    return f"""
  chain arrive_{n} {{
    meta mark != {VERIFIED} drop
    tcp dport {{ 80, 443, {ports[0]}, {ports[1]} }} ct state new ct mark set {hashed}
    ip daddr {{ {spot.ipv4.gateway}, {v4.broadcast_address}, 255.255.255.255, 224.0.0.0/4 }} meta mark set {BOX} return
    ip6 daddr {{ {own6} }} meta mark set {BOX} return
    meta mark set {WAITING}
    ether saddr @blocked return
    iifname @disaster meta mark set {DISASTER} ct mark set {DISASTER} return
    meta mark set ether saddr . ip saddr map @up4 ct mark set meta mark return
    ip6 saddr != fe80::/10 meta mark set iifname . ether saddr map @up6 ct mark set meta mark return
    {mark_used}
    ip daddr @garden_used4 meta mark set {GARDEN} ct mark set {GARDEN} return
    ip6 daddr @garden_used6 meta mark set {GARDEN} ct mark set {GARDEN} return
  }}
"""


def _portal(n: int, spot: SpotSettings, port: int, tls: int) -> str:
    v4, v6 = spot.ipv4.gateway, spot.ipv6.gateway
    lines = [
        f"ip daddr {v4} tcp dport 443 dnat ip to {v4}:{tls}",
        f"ip daddr {v4} tcp dport 80 dnat ip to {v4}:{port}",
        f"meta mark {WAITING} meta nfproto ipv4 tcp dport 80 dnat ip to {v4}:{port}",
    ]
    if spot.ipv6.mode != "off":
        lines += [
            f"ip6 daddr {v6} tcp dport 443 dnat ip6 to [{v6}]:{tls}",
            f"ip6 daddr {v6} tcp dport 80 dnat ip6 to [{v6}]:{port}",
            f"meta mark {WAITING} meta nfproto ipv6 tcp dport 80 dnat ip6 to [{v6}]:{port}",
        ]
    return _chain(f"portal_{n}", lines)


def _up(n: int, spot: SpotSettings, uplink: Sequence[str]) -> str:
    """Phone to anywhere: only by the uplink, only with a mark that this packet was given in ``arrive``."""
    # what conntrack cannot follow would leave with the phone's own address, untranslated
    untracked = "meta nfproto ipv4 " if spot.ipv6.mode == "routed" else ""
    lines = [f"{untracked}ct state invalid drop", f'oifname != "{spot.uplink}" goto refuse', *_closed(spot, uplink)]
    if spot.ipv6.mode == "off":
        lines += ["meta nfproto ipv6 goto refuse"]
    lines += [f"meta mark {GARDEN} {ACCEPT}", *_shaping(n, spot, "up")]
    counted = "update @disaster_phones { iifname . ether saddr } update @disaster_up { iifname counter }"
    lines += [f"meta mark {DISASTER} {counted} {ACCEPT}"]
    if spot.ipv6.mode != "off":
        lines += [f"meta nfproto ipv6 meta mark >= {FIRST_MARK} ct state new jump {SOURCES}"]
    return _chain(f"up_{n}", [*lines, f"meta mark >= {FIRST_MARK} {ACCEPT}", "goto refuse"])


def _down(n: int, spot: SpotSettings) -> str:
    """Anywhere to phone: only answers, only on connections of a live session."""
    lines = [
        f'iifname != "{spot.uplink}" drop',
        "ct state != { established, related } drop",
        f"ct mark {GARDEN} {ACCEPT}",
    ]
    if spot.ipv6.mode == "off":
        lines += ["meta nfproto ipv6 drop"]
    lines += _shaping(n, spot, "down")
    open_to_all = f"ct mark {DISASTER} oifname @disaster update @disaster_down {{ oifname counter }} {ACCEPT}"
    return _chain(f"down_{n}", [*lines, open_to_all, f"ct mark @live {ACCEPT}", "drop"])


def _box(n: int, spot: SpotSettings, port: int, tls: int) -> str:
    """Phone to box: DHCP, neighbour discovery, a little DNS, NTP and ping, and the portal. Nothing else."""
    own6 = ", ".join(["fe80::/10", "ff02::/16", *([spot.ipv6.gateway] if spot.ipv6.mode != "off" else [])])
    lines = [
        "udp dport 67 jump dhcp",
        f"udp dport 67 goto leases_{n}",
        f"udp dport 547 ip6 daddr {{ fe80::/10, ff02::1:2 }} {ACCEPT}",
        f"icmpv6 type {{ nd-router-solicit, nd-neighbor-solicit, nd-neighbor-advert, mld2-listener-report }} {ACCEPT}",
        f"meta nfproto ipv4 ip daddr != {spot.ipv4.gateway} goto refuse",
        f"meta nfproto ipv6 ip6 daddr != {{ {own6} }} goto refuse",
        f"ct direction reply ct state {{ established, related }} {ACCEPT}",
        "meta l4proto { tcp, udp } th dport 53 goto dns_in",
        f"tcp dport {{ {port}, {tls} }} ct state new add @portal_connections"
        f" {{ ether saddr ct count over {MAX_CONNECTIONS} }} goto refuse",
        f"tcp dport {{ {port}, {tls} }} {ACCEPT}",
        "update @box_rate { ether saddr limit rate over 10/second burst 20 packets } drop",
        f"udp dport 123 {ACCEPT}",
        f"icmp type echo-request {ACCEPT}",
        f"icmpv6 type echo-request {ACCEPT}",
    ]
    return _chain(f"box_{n}", [*lines, "goto refuse"])


def _closed(spot: SpotSettings, uplink: Sequence[str]) -> list[str]:
    """Networks behind the uplink that are not for phones, whatever their mark; and other resolvers where the spot's are
    the only ones: names by UDP and TCP, over TLS and over QUIC (RFC 7858 §3.1, RFC 9250 §4.1.1). Names over HTTPS look
    like any page.
    """
    closed = {"ip": [str(net) for net in closed4(spot, uplink)], "ip6": [str(net) for net in closed6(spot, uplink)]}
    lines = [f"{ip} daddr {{ {', '.join(networks)} }} goto refuse" for ip, networks in closed.items() if networks]
    return [*lines, "meta l4proto { tcp, udp } th dport { 53, 853 } goto refuse"] if spot.dns_only else lines


def _shaping(n: int, spot: SpotSettings, way: str) -> list[str]:
    """Policing per phone: its own bucket, found by its connection mark; in disaster mode by its MAC or address."""
    kbit, fair = _rates(spot, way)
    lines = [f"ct mark @slow update @slow_{way}_{n} {{ ct mark {_limit_over(spot.limits.throttle_kbit)} }} drop"]
    if kbit:
        lines.append(f"ct mark >= {FIRST_MARK} update @rate_{way}_{n} {{ ct mark {_limit_over(kbit)} }} drop")
    if fair:
        keys = [(f"fair_{way}_{n}", "ether saddr")]
        if way == "down":
            keys = [(f"fair_{way}_{n}", "ip daddr"), (f"fair6_{way}_{n}", "ip6 daddr")]
        lines += [f"ct mark {DISASTER} update @{of} {{ {key} {_limit_over(fair)} }} drop" for of, key in keys]
    return lines


def _rates(spot: SpotSettings, way: str) -> tuple[int, int]:
    """kbit/s of a session, and of a phone in a disaster: the lower of its two limits. 0: none."""
    limits = spot.limits
    kbit = limits.up_kbit if way == "up" else limits.down_kbit
    return kbit, min((k for k in (kbit, limits.disaster_kbit) if k), default=0)


def _limit_over(kbit: int) -> str:
    """A limit that matches above this rate. The kernel's bucket holds a second of it and the burst (nft_limit.c): a
    second and a half, or ten full packets more than a second.
    """
    rate = max(1, kbit * 1000 // 8)
    return f"limit rate over {rate} bytes/second burst {max(15_000, rate // 2)} bytes"


def _rate_limit_sets(n: int, spot: SpotSettings) -> str:
    kinds = {"slow": "mark"}
    if spot.limits.up_kbit or spot.limits.down_kbit:
        kinds["rate"] = "mark"
    text = "".join(
        f"  set {kind}_{way}_{n} {{ type {of}; size 65536; flags dynamic,timeout; timeout 1m; }}\n"
        for kind, of in kinds.items()
        for way in ("up", "down")
    )
    fair = {"fair_up": "ether_addr", "fair_down": "ipv4_addr", "fair6_down": "ipv6_addr"}
    return text + "".join(
        f"  set {name}_{n} {{ type {of}; size 65536; flags dynamic,timeout; timeout 1m; }}\n"
        for name, of in fair.items()
        if _rates(spot, name.partition("_")[2])[1]
    )


def _source_nat(spot: SpotSettings) -> str:
    v6 = spot.ipv6
    lines = [f'ip saddr {network4(spot)} oifname "{spot.uplink}" masquerade']
    if v6.mode == "masquerade":
        lines.append(f'ip6 saddr {v6.network} oifname "{spot.uplink}" masquerade')
    if v6.mode == "npt":
        lines.append(f'ip6 saddr {v6.network} oifname "{spot.uplink}" snat ip6 prefix to {v6.uplink_network}')
    return "\n".join(f"    {line}" for line in lines)


def _portal_only_from_lan(settings: WifiSettings) -> str:
    """The portal answers phones and the box itself, nobody else, at whatever address of the box."""
    inside = ", ".join(f'"{name}"' for name in (*(spot.interface for spot in settings.spots), "lo"))
    ports = f"{settings.portal.port}, {settings.portal.tls_port}"
    return f"iifname != {{ {inside} }} tcp dport {{ {ports} }} drop"


def _gateway_only_from_lan(spot: SpotSettings, lan: str) -> str:
    """The spot's gateway address answers phones and the box itself, nobody else."""
    own = [f"ip daddr {spot.ipv4.gateway}"]
    if spot.ipv6.mode != "off":
        own.append(f"ip6 daddr {spot.ipv6.gateway}")
    return "\n".join(f'    iifname != {{ {lan}, "lo" }} {address} drop' for address in own)


def _chain(name: str, lines: list[str]) -> str:
    body = "\n".join(f"    {line}" for line in lines)
    return f"\n  chain {name} {{\n{body}\n  }}\n"
