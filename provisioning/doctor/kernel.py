"""Which of the kernel's settings the gate relies on, for one site. Pure.

rp_filter: the kernel takes the greater of "all" and the interface's own, and its check does not see the gate's marks
(systemd/sysctl.d). Forwarding is switched on by the gate itself. Redirects would show a phone the way past the gate to
its neighbour; the kernel sends them when either "all" or the interface says so.
"""

from __future__ import annotations

from collections.abc import Callable

from captive_portal.settings import WifiSettings
from device.health.thresholds import Setting
from provisioning.box.render.services import neighbour_room
from provisioning.site.model import Site

Read = Callable[[str], int | None]
"""A setting's name -> its number."""


def relied_on(site: Site, read: Read) -> list[Setting]:
    """Every one, with what it is now; none on a box without Wi-Fi."""
    wifi = site.wifi
    if wifi is None:
        return []
    wanted = {"net.ipv4.ip_forward": 1}
    if any(spot.ipv6.mode != "off" for spot in wifi.spots):
        wanted["net.ipv6.conf.all.forwarding"] = 1
    for interface in ("all", *_interfaces(wifi)):
        wanted[f"net.ipv4.conf.{interface}.rp_filter"] = 0
    for interface in ("all", *sorted({spot.interface.replace(".", "/") for spot in wifi.spots})):
        wanted[f"net.ipv4.conf.{interface}.send_redirects"] = 0
    found = [Setting(name, value, read(name)) for name, value in wanted.items()]
    room = "net.ipv4.neigh.default.gc_thresh3"  # only the machine's first network namespace has it
    return [*found, Setting(room, neighbour_room(wifi), read(room), at_least=True, optional=True)]


def _interfaces(wifi: WifiSettings) -> list[str]:
    """As sysctl writes them: a dot in a name is a stroke."""
    return sorted({name.replace(".", "/") for spot in wifi.spots for name in (spot.interface, spot.uplink)})
