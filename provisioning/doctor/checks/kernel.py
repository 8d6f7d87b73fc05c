"""The settings of the kernel without which the gate does not hold.

rp_filter: the kernel takes the greater of "all" and the interface's own, and its check does not see the gate's marks
(systemd/sysctl.d). Forwarding is switched on by the gate itself. Redirects would show a phone the way past the gate to
its neighbour; the kernel sends them when either "all" or the interface says so.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from captive_portal.settings import WifiSettings
from device.health import readers
from device.health.finding import Finding, absent, error, ok
from provisioning.box.render.services import neighbour_room
from provisioning.doctor.examined_box import ExaminedBox
from provisioning.site.model import Site

Read = Callable[[str], int | None]
"""A setting's name -> its number."""


class Setting(NamedTuple):
    """One of the kernel's settings. name: as sysctl writes it; found: None where the kernel, or this network namespace,
    does not have it; at_least: more than wanted is right too; optional: not every kernel or namespace has it.
    """

    name: str
    wanted: int
    found: int | None
    at_least: bool = False
    optional: bool = False

    def is_right(self) -> bool:
        """As it has to be."""
        if self.found is None:
            return False
        return self.found >= self.wanted if self.at_least else self.found == self.wanted


def check(box: ExaminedBox) -> list[Finding]:
    """Reads /proc/sys."""
    return judge(relied_on(box.site, readers.kernel_setting))


def judge(seen: list[Setting]) -> list[Finding]:
    """Each that is not as it has to be, and how many are."""
    found = [absent("kernel.setting_not_here", setting=s.name) for s in seen if s.found is None and s.optional]
    found += [
        error("kernel.setting_wrong", setting=s.name, wanted=s.wanted, found=-1 if s.found is None else s.found)
        for s in seen
        if not s.is_right() and not (s.found is None and s.optional)
    ]
    return [*found, ok("kernel.settings", count=sum(s.is_right() for s in seen))]


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
