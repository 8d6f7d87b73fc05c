"""Which units a box wants, and where each file of ``systemd/`` goes. Pure."""

from __future__ import annotations

from pathlib import Path

from provisioning.box.render.services import radios_of
from provisioning.site.issuer_place import asks_for_list
from provisioning.site.model import Site

SHIPPED = Path("usr/local/lib")
"""Ours, below the root; what is made for one box stands in /etc and wins."""
FOLDERS = {
    "system": SHIPPED / "systemd/system",
    "system.conf.d": SHIPPED / "systemd/system.conf.d",
    "journald.conf.d": SHIPPED / "systemd/journald.conf.d",
    "logind.conf.d": SHIPPED / "systemd/logind.conf.d",
    "sysusers.d": SHIPPED / "sysusers.d",
    "tmpfiles.d": SHIPPED / "tmpfiles.d",
    "sysctl.d": SHIPPED / "sysctl.d",
    "pam.d": Path("etc/pam.d"),
    "polkit": Path("etc/polkit-1/rules.d"),
    "chromium": Path("etc/chromium/policies/managed"),
}
"""Folder of ``systemd/`` -> folder below the root."""
MASKED = (
    *("ctrl-alt-del.target", "apt-daily.timer", "apt-daily-upgrade.timer"),
    *("hostapd.service", "dnsmasq.service", "nginx.service"),
)
"""Restart by keys; updates that nobody has tried first; Debian's own start of what our units start."""
MASKED_WITH_SCREEN = ("getty@tty1.service", "autovt@.service")
"""Ways from the touch screen to a log-in."""
RECOVERY_UNITS = (
    "hiroba-storage.service",
    "hiroba-recover.service",
    "hiroba-settle.service",
    "hiroba-apply-recover.service",
)
"""Enabled on every box; they do nothing unless its state is encrypted, or a power cut left an update on trial or
settings half laid.
"""
CITY_HALL = ("hiroba-cityhall.service", "hiroba-nginx@cityhall.service", "hiroba-cityhall-tidy.timer")
REPLACED_BY = {
    "hiroba-fleet.service": ("hiroba-cityhall.service", "hiroba-nginx@cityhall.service"),
    "hiroba-fleet-tidy.timer": ("hiroba-cityhall-tidy.timer",),
}
"""Unit of an earlier release -> the units that do its work now: where the former was enabled, the latter are."""
_NGINX = ("hiroba-nginx@box", "hiroba-nginx@cityhall")
OUTGOING = ("hiroba-kiosk", "hiroba-portal", *_NGINX, "hiroba-heartbeat", "hiroba-enrol-renew", "hiroba-update")
"""The units that speak with other machines, and so are told which (network.reachable)."""
FIRST_PORT = 8100
"""The kiosk's port as the shipped browser policy has it."""


def destinations(shipped: Path) -> dict[Path, Path]:
    """File below ``shipped`` (the ``systemd`` folder) -> file below the root, both relative."""
    found = {}
    for folder, target in FOLDERS.items():
        for file in sorted((shipped / folder).rglob("*")):
            if file.is_file():
                found[file.relative_to(shipped)] = target / file.relative_to(shipped / folder)
    return found


def wanted(site: Site, *, screen: bool) -> list[str]:
    """The units to enable, in a fixed order. screen: this box has one (cage and Chromium)."""
    units = ["hiroba.target", "hiroba-kiosk.service", "hiroba-retention.timer"]
    if site.cityhall_link is not None:
        units += ["hiroba-heartbeat.timer", "hiroba-enrol-renew.timer"]
    if site.backup is not None and site.backup.folder:
        units.append("hiroba-backup.timer")
    if site.updates.source:
        units.append("hiroba-update.timer")
    if screen:
        units += ["hiroba-kiosk-browser.service", "hiroba-browser-fresh.timer"]
    if site.issuer is not None:
        units.append("hiroba-issuer.service")
    if site.wifi is not None:
        units += ["hiroba-gate.service", "hiroba-portal.service", "hiroba-stats.service"]
        units += [f"hiroba-dnsmasq@{spot.name}.service" for spot in site.wifi.spots if spot.dhcp]
        radios = radios_of(site)
        units += [f"hiroba-hostapd@{radio}.service" for radio in radios]
        units += ["hiroba-disaster.path"] if radios else []
    if site.wifi is not None or asks_for_list(site):
        units.append("hiroba-nginx@box.service")
    return units


def disaster_unit(unit: str) -> str:
    """The unit that has a radio instead of ``unit`` while a disaster is on; "" for what is no radio's."""
    name, at, radio = unit.partition("@")
    return f"hiroba-hostapd-disaster@{radio}" if at and name == "hiroba-hostapd" else ""
