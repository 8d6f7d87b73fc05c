"""The dnsmasq configuration of one spot: leases, names, router advertisements, and where the captive portal is.

One dnsmasq a spot, so that each can have resolvers and a lease file of its own. What dnsmasq 2.90 can say of RFC 8910:
DHCPv4 option 114 and DHCPv6 option 103 yes, as raw options, for it has no name for them; router advertisement option 37
no, for it cannot add options to an RA. A phone that would take its portal from the RA alone is found by its probe, and
every phone asks for IPv4 as well and hears option 114 there.
"""

from __future__ import annotations

import ipaddress
from pathlib import Path

from captive_portal.gate.kernel.lease_limits import FIRST_LEASE_SECONDS, pool_size
from captive_portal.gate.kernel.ruleset import TABLE
from captive_portal.portal.capport import API_PATH
from captive_portal.settings import DhcpSettings, PortalSettings, SpotSettings
from provisioning.box.render.refusal import one_line, refuse
from provisioning.site.wifi_checks import portal_mistakes, spot_mistakes

GARDEN_SECONDS = 300
"""Longest a name of the walled garden is cached: its addresses leave the gate's set after an hour unless queried again.
"""
CANARIES = ("use-application-dns.net", "mask.icloud.com", "mask-h2.icloud.com")
"""Names that browsers and phones ask for to learn that this network filters names (a school's spot)."""

_ALWAYS = """
# names
port=53
no-hosts
domain-needed
bogus-priv
stop-dns-rebind
dns-loop-detect
cache-size=2000
dns-forward-max=1000
# A larger answer is cut, and asked for again over TCP: within what the gate lets through (gate/kernel/dns_limits.py).
edns-packet-max=1232
# No query is logged, and no lease with its address (N8): there is no log-queries and no log-dhcp here.
quiet-dhcp
quiet-dhcp6
quiet-ra
no-ident
"""


_FIRST_LEASE = (
    "# Before each offer dnsmasq would ask the address for three seconds, and serve nobody else meanwhile.",
    "no-ping",
    "# One address a MAC, whatever client identifiers it sends.",
    "dhcp-ignore-clid",
    "# Who asks for an address (option 50, RFC 2131 table 5) gets a short lease; who renews it, a whole one.",
    "dhcp-match=set:asks,option:requested-address",
    f"dhcp-host=*:*:*:*:*:*,tag:asks,{FIRST_LEASE_SECONDS}s",
)


def dnsmasq(spot: SpotSettings, portal: PortalSettings, state: Path) -> str:
    """The file's text. state: the state folder, for the lease file. Raises CannotRender."""
    refuse([*portal_mistakes(portal), *spot_mistakes(spot)])
    parts = [
        f"# Made by `hiroba site render` for the spot {spot.name}. Edit the site file, not this one.",
        f"interface={spot.interface}",
        "except-interface=lo",
        "bind-dynamic",
        _ALWAYS.strip(),
        *_names(spot, portal),
        *_garden(spot),
    ]
    if spot.dhcp:
        parts += _dhcp(spot, spot.dhcp, portal, state)
    if spot.ipv6.mode != "off":
        parts += _ipv6(spot, portal)
    return "\n".join(parts) + "\n"


def _names(spot: SpotSettings, portal: PortalSettings) -> list[str]:
    v6 = [spot.ipv6.gateway] if spot.ipv6.mode != "off" and spot.ipv6.gateway else []
    lines = [f"host-record={','.join([one_line(portal.name), spot.ipv4.gateway, *v6])}", f"local=/{portal.name}/"]
    if spot.ipv6.mode == "off":
        lines.append("filter-AAAA")
    if not spot.dns:
        return lines
    servers = [f"server={ipaddress.ip_address(server)}" for server in spot.dns]
    return [*lines, "no-resolv", *servers, *(f"local=/{name}/" for name in CANARIES)]


def _garden(spot: SpotSettings) -> list[str]:
    """Addresses of garden names go into the gate's sets as they are looked up."""
    if not spot.garden:
        return []
    sets = [f"4#inet#{TABLE}#garden4"] + ([f"6#inet#{TABLE}#garden6"] if spot.ipv6.mode != "off" else [])
    names = "/".join(one_line(name) for name in spot.garden)
    return ["# walled garden", f"max-cache-ttl={GARDEN_SECONDS}", f"nftset=/{names}/{','.join(sets)}"]


def _dhcp(spot: SpotSettings, dhcp: DhcpSettings, portal: PortalSettings, state: Path) -> list[str]:
    network = ipaddress.IPv4Network(f"{spot.ipv4.gateway}/{spot.ipv4.prefix}", strict=False)
    first, last = ipaddress.IPv4Address(dhcp.first), ipaddress.IPv4Address(dhcp.last)
    leases = [f"dhcp-lease-max={pool_size(dhcp)}", f"dhcp-range={first},{last},{network.netmask},{dhcp.lease_seconds}s"]
    return [
        "# addresses",
        "dhcp-authoritative",
        "dhcp-ignore-clid",  # whose lease it is: the MAC's, which the gate checks, not what a phone calls itself
        "dhcp-ignore-names",  # a phone's own name is often its owner's
        f"dhcp-leasefile={state / one_line(dhcp.leases, 'wifi.spots.dhcp.leases')}",
        *leases,
        *_FIRST_LEASE,
        f"dhcp-option=option:router,{spot.ipv4.gateway}",
        f"dhcp-option=option:dns-server,{spot.ipv4.gateway}",
        *_announced("dhcp-option-force=114", portal),
    ]


def _ipv6(spot: SpotSettings, portal: PortalSettings) -> list[str]:
    """Phones make their own addresses from the prefix (SLAAC); DHCPv6 only sends options."""
    network = ipaddress.IPv6Network(spot.ipv6.network)
    return [
        "# IPv6: router advertisements, and DHCPv6 for options only",
        "enable-ra",
        f"dhcp-range={network.network_address},ra-stateless,{network.prefixlen}",
        f"dhcp-option=option6:dns-server,[{spot.ipv6.gateway}]",
        *_announced("dhcp-option=option6:103", portal),
    ]


def _announced(option: str, portal: PortalSettings) -> list[str]:
    """RFC 8910 §2: the URI of the API, which must be https; without a certificate nothing is announced."""
    if not portal.tls_certificate:
        return ["# No TLS certificate: RFC 8910 allows an https URI only, so phones find the portal by their probe."]
    return [f'{option},"https://{one_line(portal.name)}{API_PATH}"']
