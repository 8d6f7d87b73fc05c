"""What dnsmasq and hostapd could not be told: ranges, resolvers, names that would break their files. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping

from captive_portal.settings import DhcpSettings, PortalSettings, SpotSettings, SsidSettings, WifiSettings
from device.secrets import Secret
from provisioning.site.mistakes import Mistake, mistake
from provisioning.site.model import Site

MAX_SSID_BYTES = 32
"""IEEE 802.11-2020 §9.4.2.2."""
_PASSPHRASE_LETTERS = (8, 63)
"""WPA passphrases: printable ASCII (IEEE 802.11-2020 annex J.4)."""


def wifi_mistakes(site: Site) -> Iterator[Mistake]:
    """Of all spots of a box."""
    if site.wifi is None:
        return
    yield from portal_mistakes(site.wifi.portal)
    for number, spot in enumerate(site.wifi.spots):
        yield from spot_mistakes(spot, f"wifi.spots[{number}]")
    yield from lease_mistakes(site.wifi)


def portal_mistakes(portal: PortalSettings) -> Iterator[Mistake]:
    """Its name stands in dnsmasq's file."""
    if breaks_line(portal.name):
        yield mistake("wifi.portal.name", "breaks_line")


def spot_mistakes(spot: SpotSettings, key: str = "wifi.spots[0]") -> Iterator[Mistake]:
    """Of one spot; ``key`` is where it stands."""
    for name in spot.garden:
        if breaks_line(name):
            yield mistake(f"{key}.garden", "breaks_line")
    for server in spot.dns:
        if _address(server) is None:
            yield mistake(f"{key}.dns", "no_address", value=server)
    if spot.dhcp:
        yield from _range(spot, spot.dhcp, f"{key}.dhcp")
    for number, ssid in enumerate(spot.ssids):
        yield from ssid_mistakes(ssid, f"{key}.ssids[{number}]")


def ssid_mistakes(ssid: SsidSettings, key: str = "wifi.spots[0].ssids[0]") -> Iterator[Mistake]:
    """Of one network name."""
    if len(ssid.ssid.encode("utf-8", "replace")) > MAX_SSID_BYTES:
        yield mistake(f"{key}.ssid", "long_ssid", value=ssid.ssid)
    if breaks_line(ssid.ssid):
        yield mistake(f"{key}.ssid", "breaks_line")
    if breaks_line(ssid.country):
        yield mistake(f"{key}.country", "breaks_line")


def lease_mistakes(wifi: WifiSettings) -> Iterator[Mistake]:
    """Two dnsmasq cannot write one file: told at the later spot."""
    seen: set[str] = set()
    for number, spot in enumerate(wifi.spots):
        if spot.dhcp and spot.dhcp.leases in seen:
            yield mistake(f"wifi.spots[{number}].dhcp.leases", "shared_leases", value=spot.dhcp.leases)
        if spot.dhcp:
            seen.add(spot.dhcp.leases)


def passphrase_mistakes(wifi: WifiSettings, passphrases: Mapping[str, Secret]) -> Iterator[Mistake]:
    """passphrases: by passphrase_file, as far as they are known. A secret is not repeated."""
    for number, spot in enumerate(wifi.spots):
        for place, ssid in enumerate(spot.ssids):
            if ssid.security.startswith("wpa") and passphrase_of(ssid, passphrases) is None:
                key = f"wifi.spots[{number}].ssids[{place}].passphrase_file"
                yield mistake(key, "passphrase", value=ssid.passphrase_file)


def passphrase_of(ssid: SsidSettings, passphrases: Mapping[str, Secret]) -> str | None:
    """The passphrase of a network name; None where hostapd could not use it."""
    secret = passphrases.get(ssid.passphrase_file)
    text = secret.reveal().decode("ascii", "replace").strip() if secret else ""
    least, most = _PASSPHRASE_LETTERS
    return text if least <= len(text) <= most and text.isascii() and text.isprintable() else None


def breaks_line(text: str) -> bool:
    """Whether ``text`` would break out of its line in another program's file."""
    return any(ord(c) < 32 or ord(c) == 127 for c in text) or '"' in text


def _range(spot: SpotSettings, dhcp: DhcpSettings, key: str) -> Iterator[Mistake]:
    network = ipaddress.IPv4Network(f"{spot.ipv4.gateway}/{spot.ipv4.prefix}", strict=False)
    ends = {"first": _address(dhcp.first), "last": _address(dhcp.last)}
    sound = True
    for name, address in ends.items():
        text = getattr(dhcp, name)
        if not isinstance(address, ipaddress.IPv4Address):
            yield mistake(f"{key}.{name}", "no_address", value=text)
            sound = False
        elif address not in network or address in (network.network_address, network.broadcast_address):
            yield mistake(f"{key}.{name}", "outside_network", value=text, network=str(network))
            sound = False
    if sound and _disordered(spot, dhcp):
        yield mistake(key, "dhcp_order")


def _disordered(spot: SpotSettings, dhcp: DhcpSettings) -> bool:
    first, last, gateway = map(ipaddress.IPv4Address, (dhcp.first, dhcp.last, spot.ipv4.gateway))
    return first > last or first <= gateway <= last


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
