"""Drop-ins for our units, the kernel's tables for this many phones, time servers. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from urllib.parse import urlsplit

from captive_portal.settings import WifiSettings
from provisioning.box.render.files import Rendered
from provisioning.box.render.refusal import one_line
from provisioning.site.issuer_place import asks_for_list
from provisioning.site.model import Site

HEAD = "# Made by `hiroba apply` from the site file. Edit the site file, not this one.\n"
SHIPPED = tuple(
    ipaddress.ip_network(text)
    for text in [
        "127.0.0.0/8",
        "::1/128",
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",
        "169.254.0.0/16",
        "fe80::/64",
        "fc00::/7",
    ]
)
"""What the units let through as shipped (IPAddressAllow= in systemd/system)."""
BEYOND_LOOPBACK = SHIPPED[2:]
"""What the portal's unit lets through as shipped: of loopback it reaches nothing of ours."""
OUTGOING = ("hiroba-kiosk", "hiroba-portal", "hiroba-heartbeat", "hiroba-enrol-renew", "hiroba-update")
"""The units that connect to other machines, with the list of allowed ones (network.reachable)."""
_SMALLEST, _LARGEST = 1024, 65536

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def drop_ins(site: Site) -> dict[str, Rendered]:
    """The drop-ins of Hiroba's units for this box: the folder of archives, the radios that a disaster changes, and the
    networks beyond the private ones that may be spoken to.
    """
    found = {}
    if site.backup is not None and site.backup.folder:
        found[_drop_in("hiroba-backup", "folder")] = _section(f"ReadWritePaths={site.backup.folder}")
    if radios := radios_of(site):
        found[_drop_in("hiroba-disaster", "radios")] = _section(f'Environment="HIROBA_RADIOS={" ".join(radios)}"')
    if asks_for_list(site):
        networks = [*map(str, SHIPPED), *site.network.reachable]
        found[_drop_in("hiroba-issuer", "addresses")] = _section(f"IPAddressAllow={' '.join(networks)}")
    for unit, networks in _allowed(site).items():
        found[_drop_in(unit, "addresses")] = _section(f"IPAddressAllow={' '.join(networks)}")
    if site.wifi is not None and not asks_for_list(site):
        found[_drop_in("hiroba-nginx@box", "addresses")] = _section(_phones_alone(site.wifi))
    return found


def _phones_alone(wifi: WifiSettings) -> str:
    """For an nginx that stands before the portal and nothing else: the spots' networks and the box itself. The empty
    line takes away the networks that the unit has as shipped.
    """
    networks = [f"{spot.ipv4.gateway}/{spot.ipv4.prefix}" for spot in wifi.spots]
    networks += [spot.ipv6.network for spot in wifi.spots if spot.ipv6.mode != "off"]
    allowed = sorted({ipaddress.ip_network(text, strict=False) for text in networks}, key=lambda n: (n.version, n))
    return f"IPAddressAllow=\nIPAddressAllow=localhost fe80::/64 {' '.join(map(str, allowed))}"


def radios_of(site: Site) -> list[str]:
    """The radios that send this box's network names."""
    spots = site.wifi.spots if site.wifi else []
    return sorted({ssid.interface for spot in spots for ssid in spot.ssids})


def _allowed(site: Site) -> dict[str, list[str]]:
    """unit -> networks beside the private ones: ``network.reachable``, and the addresses that the site file names."""
    allowed = {unit: list(site.network.reachable) for unit in OUTGOING if site.network.reachable}
    wanted = {"hiroba-kiosk": _hosts(site.receipt_printer.host, site.page_printer.uri, site.issuer_link.url)}
    if site.wifi is not None:
        phones = [spot.ipv6.network for spot in site.wifi.spots if spot.ipv6.mode != "off"]
        phones += [f"{spot.ipv4.gateway}/{spot.ipv4.prefix}" for spot in site.wifi.spots]
        wanted["hiroba-nginx@box"] = phones
        wanted["hiroba-portal"] = _hosts(site.wifi.smtp.host if site.wifi.smtp else "")
    if site.issuer is not None and site.issuer.revocation.ocsp:
        allowed["hiroba-issuer"] = _responder(site, site.issuer.revocation.ocsp)
    for unit, addresses in wanted.items():
        if beyond := _beyond(addresses, BEYOND_LOOPBACK if unit == "hiroba-portal" else SHIPPED):
            allowed[unit] = [*site.network.reachable, *(str(network) for network in beyond)]
    return allowed


def _responder(site: Site, url: str) -> list[str]:
    """For the issuer, which as shipped speaks to nobody: the responder's address; where it has a name, whoever may tell
    the address of it, and the networks that are reachable.
    """
    if addresses := _hosts(url):
        return [str(ipaddress.ip_network(address)) for address in addresses]
    private = [str(network) for network in SHIPPED if not network.is_loopback]
    return [*site.network.reachable, *private]


def _drop_in(unit: str, name: str) -> str:
    return f"etc/systemd/system/{unit}.service.d/{name}.conf"


def _section(line: str) -> Rendered:
    return Rendered(f"{HEAD}[Service]\n{line}\n")


def kernel(site: Site) -> dict[str, Rendered]:
    """Room in the neighbour tables for every phone: the kernel's own 1,024 entries end in "neighbour table overflow".
    A leading "-" ignores a refusal, such as a container's.
    """
    if site.wifi is None:
        return {}
    phones, largest = _places(site.wifi), neighbour_room(site.wifi)
    steps = {"gc_thresh1": largest // 8, "gc_thresh2": largest // 2, "gc_thresh3": largest}
    lines = [f"-net.{f}.neigh.default.{name} = {value}" for f in ("ipv4", "ipv6") for name, value in steps.items()]
    return {"etc/sysctl.d/61-hiroba-site.conf": Rendered(HEAD + f"# {phones} phones\n" + "\n".join(lines) + "\n")}


def neighbour_room(wifi: WifiSettings) -> int:
    """Entries of the neighbour tables (gc_thresh3): four for each address that the spots give out."""
    phones = _places(wifi)
    return min(_LARGEST, max(_SMALLEST, 1 << (4 * phones - 1).bit_length())) if phones else _SMALLEST


def _places(wifi: WifiSettings) -> int:
    return sum(_phones(str(spot.dhcp.first), str(spot.dhcp.last)) for spot in wifi.spots if spot.dhcp)


def time(site: Site) -> dict[str, Rendered]:
    """The city's time servers: certificates, hours and codes go by the clock."""
    if not site.network.ntp:
        return {}
    servers = " ".join(one_line(name, "network.ntp") for name in site.network.ntp)
    text = f"{HEAD}[Time]\nNTP={servers}\n"
    return {"etc/systemd/timesyncd.conf.d/hiroba.conf": Rendered(text)}


def _hosts(*places: str) -> list[str]:
    """The addresses among hosts and URLs. Names are not resolved: ``network.reachable`` lists their addresses."""
    hosts = (urlsplit(place).hostname if "://" in place else place for place in places)
    addresses = ("127.0.0.1" if host == "localhost" else host for host in hosts)
    return [host for host in addresses if host and _is_address(host)]


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _beyond(addresses: Iterable[str], shipped: Iterable[Network]) -> list[Network]:
    networks, inside = {ipaddress.ip_network(text, strict=False) for text in addresses}, tuple(shipped)
    outside = [n for n in networks if not any(n.version == s.version and n.subnet_of(s) for s in inside)]  # type: ignore[arg-type]  # same version
    return sorted(outside, key=lambda n: (n.version, n))


def _phones(first: str, last: str) -> int:
    return int(ipaddress.IPv4Address(last)) - int(ipaddress.IPv4Address(first)) + 1
