"""The spots' interfaces for systemd-networkd: a bridge where radios join it, and the box's own address. Pure.

The uplink stays as configured (NetworkManager, ifupdown, cloud-init); NetworkManager is set to leave the spots
alone. An interface that is no bridge of ours (a port, a VLAN) must exist already.
"""

from __future__ import annotations

from captive_portal.settings import SpotSettings
from provisioning.box.render.files import Rendered
from provisioning.box.render.services import HEAD
from provisioning.site.model import Site

FOLDER = "etc/systemd/network"


def spots(site: Site) -> dict[str, Rendered]:
    """Files of all spots; none on a box without Wi-Fi."""
    if site.wifi is None:
        return {}
    files: dict[str, Rendered] = {}
    for spot in site.wifi.spots:
        files |= _spot(spot)
    ours = sorted({spot.interface for spot in site.wifi.spots} | _radios(site.wifi.spots))
    names = ";".join(f"interface-name:{name}" for name in ours)
    keep = "[Network]\nManageForeignRoutes=no\nManageForeignRoutingPolicyRules=no\n"
    return {
        **files,
        # Wanted, not enabled: its wait-online, which comes with enabling, would hold up a boot without uplink.
        "etc/systemd/system/hiroba.target.d/network.conf": Rendered(f"{HEAD}[Unit]\nWants=systemd-networkd.service\n"),
        "etc/systemd/networkd.conf.d/hiroba.conf": Rendered(HEAD + keep),
        "etc/NetworkManager/conf.d/hiroba.conf": Rendered(f"{HEAD}[keyfile]\nunmanaged-devices={names}\n"),
    }


def _spot(spot: SpotSettings) -> dict[str, Rendered]:
    name = f"50-hiroba-{spot.name}"
    files = {f"{FOLDER}/{name}.network": Rendered(HEAD + _network(spot))}
    if any(ssid.interface != spot.interface for ssid in spot.ssids):
        # STP off: there is one bridge, and a phone shall not wait for it.
        bridge = f"[NetDev]\nName={spot.interface}\nKind=bridge\n\n[Bridge]\nSTP=no\nForwardDelaySec=0\n"
        files[f"{FOLDER}/{name}.netdev"] = Rendered(HEAD + bridge)
    return files


def _network(spot: SpotSettings) -> str:
    """ConfigureWithoutCarrier: the address is set before the first phone connects, so dnsmasq and portal can listen."""
    lines = [
        "[Match]",
        f"Name={spot.interface}",
        "",
        "[Link]",
        "RequiredForOnline=no",
        "",
        "[Network]",
        f"Address={spot.ipv4.gateway}/{spot.ipv4.prefix}",
    ]
    if spot.ipv6.mode != "off":
        lines.append(f"Address={spot.ipv6.gateway}/{spot.ipv6.network.partition('/')[2]}")
    lines += ["ConfigureWithoutCarrier=yes", "IPv6AcceptRA=no", "DHCP=no", "LLMNR=no", "MulticastDNS=no"]
    return "\n".join(lines) + "\n"


def _radios(spots: list[SpotSettings]) -> set[str]:
    return {ssid.interface for spot in spots for ssid in spot.ssids}
