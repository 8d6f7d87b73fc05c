"""Which files an apply would change, and which systemd commands follow. Pure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import msgspec

from provisioning.box.install.units import CITY_HALL, wanted
from provisioning.box.render.files import Rendered
from provisioning.site.model import Site

Words = tuple[str, ...]


class FileState(msgspec.Struct, frozen=True):
    """A file as it stands: its bytes, mode, and the name of its group ("" where groups are not looked at)."""

    content: bytes
    mode: int
    group: str


class Change(msgspec.Struct, frozen=True):
    """One file below the root, before and after; None: it is not there. secret: its contents are shown to nobody."""

    path: str
    before: FileState | None
    after: FileState | None
    secret: bool

    def undone(self) -> Change:
        """The same change undone."""
        return Change(self.path, self.after, self.before, self.secret)


class SystemdActions(NamedTuple):
    """What systemd and others are asked once the files stand, in this order."""

    reload: bool
    disable: tuple[str, ...]
    foreign: tuple[Words, ...]
    restart: tuple[str, ...]
    enable: tuple[str, ...]


SECTIONS: Mapping[str, tuple[str, ...]] = {
    "hiroba-kiosk.service": (
        "box",
        "city",
        "card",
        "receipt_printer",
        "page_printer",
        "issuer_link",
        "kiosk",
        "cityhall_link",
    ),
    "hiroba-issuer.service": ("box", "city", "issuer", "cityhall", "cityhall_link"),
    "hiroba-gate.service": ("wifi",),
    "hiroba-portal.service": ("wifi",),
    "hiroba-stats.service": ("wifi",),
    "hiroba-nginx@box.service": ("wifi", "issuer", "cityhall", "cityhall_link"),
}
"""Unit -> the sections of the site file that its process reads at its start. Timers' commands read it every time."""
_UNITS = (
    (re.compile(r"etc/hiroba/wifi/dnsmasq-(.+)\.conf"), r"hiroba-dnsmasq@\1.service"),
    (re.compile(r"etc/hiroba/wifi/hostapd-((?:(?!\.disaster).)+)\.conf"), r"hiroba-hostapd@\1.service"),
    (re.compile(r"etc/hiroba/cityhall\.toml"), "hiroba-cityhall.service"),
    (re.compile(r"etc/hiroba/cityhall\.toml"), "hiroba-nginx@cityhall.service"),
    (re.compile(r"etc/hiroba/browser\.env|etc/chromium/.+"), "hiroba-kiosk-browser.service"),
    (re.compile(r"etc/systemd/system/([^/]+\.service)\.d/.+"), r"\1"),
)
"""File -> the unit that reads it."""
_FOREIGN: tuple[tuple[str, Words], ...] = (
    ("etc/sysctl.d/", ("systemctl", "restart", "systemd-sysctl.service")),
    ("etc/udev/", ("udevadm", "control", "--reload")),
    ("etc/usbguard/", ("systemctl", "try-restart", "usbguard.service")),
    ("etc/NetworkManager/", ("systemctl", "try-reload-or-restart", "NetworkManager.service")),
    ("etc/systemd/networkd.conf.d/", ("systemctl", "try-restart", "systemd-networkd.service")),
    ("etc/systemd/network/", ("systemctl", "start", "systemd-networkd.service")),
    ("etc/systemd/network/", ("networkctl", "reload")),
    ("etc/systemd/timesyncd.conf.d/", ("systemctl", "try-restart", "systemd-timesyncd.service")),
)
"""Folder -> what to ask of a program that is not ours. A box without that program is none the worse."""


def changes(
    rendered: Mapping[str, Rendered], here: Mapping[str, FileState | None], owned: Collection[str], *, groups: bool
) -> list[Change]:
    """Every file that is to be other than it is, by path. here: the files that stand, for every path of ``rendered``
    and ``owned``; owned: the files of an earlier apply, which go when they are rendered no more.
    """
    found = []
    for path in sorted({*rendered, *owned}):
        file = rendered.get(path)
        after = FileState(file.text.encode(), file.mode, file.group if groups else "") if file else None
        if here.get(path) != after:
            found.append(Change(path, here.get(path), after, file.secret if file else is_secret(path)))
    return found


def is_secret(path: str) -> bool:
    """Whether a file that is rendered no more held a passphrase, or the password of a database."""
    return "/hostapd-" in path or path in ("etc/hiroba/cityhall.toml", "etc/hiroba/fleet.toml")


def wanted_units(site: Site) -> list[str]:
    """The units this box wants."""
    units = wanted(site, screen=site.box.screen)
    if "kiosk" not in site.box.parts:
        units.remove("hiroba-kiosk.service")
    if site.cityhall is not None and "cityhall" in site.box.parts:
        units += CITY_HALL
    return units


def systemd_actions(done: Sequence[Change], old: Site | None, new: Site, *, first: bool = False) -> SystemdActions:
    """What has to be done after ``done``. old: the box's site file before, None when there was none; first: until now
    the box was as `hiroba install` left it.
    """
    after, before = wanted_units(new), wanted_units(old) if old else []
    if first and old:
        before = wanted(old, screen=old.box.screen)
    enable = [unit for unit in after if unit not in before]
    read = [unit for unit, sections in SECTIONS.items() if old and _differ(old, new, sections)]
    read += [unit for change in done for unit in _units_that_read(change.path)]
    restart = [unit for unit in dict.fromkeys(read) if unit in after and unit in before]
    foreign = [words for folder, words in _FOREIGN if any(change.path.startswith(folder) for change in done)]
    foreign += [("systemctl", "try-restart", twin) for change in done if (twin := _twin_of(change.path))]
    return SystemdActions(
        reload=any(change.path.startswith("etc/systemd/system/") for change in done),
        disable=tuple(unit for unit in before if unit not in after),
        foreign=tuple(foreign),
        restart=tuple(restart),
        enable=tuple(enable),
    )


def diff_text(change: Change) -> str:
    """The change as a unified diff; of a secret file only that it changes."""
    if change.secret:
        return f"--- {change.path}\n+++ {change.path}\n（秘密のため表示しません / secret, not shown）\n"
    before, after = (_lines(file) for file in (change.before, change.after))
    names = (f"/{change.path}" if change.before else "/dev/null", f"/{change.path}" if change.after else "/dev/null")
    text = "".join(difflib.unified_diff(before, after, *names))
    return text or f"--- {change.path}\n+++ {change.path}\n（権限だけ / mode or group only）\n"


def _lines(file: FileState | None) -> list[str]:
    text = file.content.decode("utf-8", "replace") if file else ""
    return [f"{line}\n" for line in text.splitlines()]


def _units_that_read(path: str) -> list[str]:
    return [found.expand(unit) for pattern, unit in _UNITS if (found := pattern.fullmatch(path))]


def _twin_of(path: str) -> str | None:
    """The disaster's unit that reads it: it runs only while one is on."""
    found = re.fullmatch(r"etc/hiroba/wifi/hostapd-(.+)\.disaster\.conf", path)
    return f"hiroba-hostapd-disaster@{found[1]}.service" if found else None


def _differ(old: Site, new: Site, sections: tuple[str, ...]) -> bool:
    return any(getattr(old, name) != getattr(new, name) for name in sections)
