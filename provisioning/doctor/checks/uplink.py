"""Whether there is a way out of the box, where its work needs one."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from device.health.finding import Finding, absent, error, ok
from device.network import default_gateways
from provisioning.doctor.examined_box import ExaminedBox
from provisioning.site.model import Site


def check(box: ExaminedBox) -> list[Finding]:
    """Reads the routes."""
    return [judge(len(default_gateways()), needed=needs_uplink(box.site))]


def judge(gateways: int, *, needed: bool) -> Finding:
    """gateways: families with a default route. needed: something of this box's work is elsewhere."""
    if gateways:
        return ok("uplink.route")
    return error("uplink.no_route") if needed else absent("uplink.not_needed")


def needs_uplink(site: Site) -> bool:
    """Whether something this box works with stands elsewhere."""
    host = urlsplit(site.issuer_link.url).hostname or ""
    try:
        here = ipaddress.ip_address(host).is_loopback
    except ValueError:
        here = host == "localhost"
    return not here or site.wifi is not None or site.cityhall_link is not None
