"""usbguard on a box: the rules of the site file, and once, at the first installation, rules for what is there then.

What IT staff have plugged in is trusted, so that a network adapter or a printer goes on; but no storage, unless the
system runs from it, and no keyboard or mouse, unless the site wants them: those are the installer's own.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Collection
from pathlib import Path

from device.files import atomic_write
from provisioning.box.install.unit_files import BOOTED
from provisioning.box.render.usb import RULES, rules
from provisioning.errors import InstallStepFailed
from provisioning.site.model import Site

PRESENT = "etc/usbguard/rules.d/50-hiroba-present.conf"
"""Beside the site's rules (usbguard-daemon.conf(5), RuleFolder). Delete it and install again to make it anew."""
PROGRAM = "usbguard"
_HEAD = "# What was plugged in when Hiroba was installed. Delete this file and run `hiroba install` to make it anew.\n"
_INTERFACE = re.compile(r"\b([0-9a-f]{2}):([0-9a-f]{2}):[0-9a-f]{2}\b")
_PORT = re.compile(r' via-port "([^"]*)"')
_NO_SERIAL = ' serial "" '
_STORAGE, _BOOT_INPUT = "08", ("03", "01")


def trusted(generated: str, mounted: Collection[str], *, keyboards: bool) -> list[str]:
    """The rules to keep of what ``usbguard generate-policy --with-ports`` said. mounted: ports of disks that the system
    runs from. A device with a serial number may be plugged in elsewhere later; one without keeps its port.
    """
    kept = []
    for rule in filter(None, map(str.strip, generated.splitlines())):
        port = _PORT.search(rule)
        interfaces = [match.groups() for match in _INTERFACE.finditer(rule.partition("with-interface")[2])]
        storage = any(kind == _STORAGE for kind, _ in interfaces)
        if storage and (port is None or port[1] not in mounted):
            continue
        if _BOOT_INPUT in interfaces and not keyboards:
            continue
        kept.append(rule if _NO_SERIAL in rule else _PORT.sub("", rule))
    return kept


def mounted_ports(mounts: str, block: Path) -> set[str]:
    """The USB ports ("1-1.2") of the disks that are mounted. mounts: /proc/self/mounts; block: /sys/class/block."""
    devices = {line.split()[0] for line in mounts.splitlines() if line.startswith("/dev/")}
    paths = (str((block / Path(device).resolve().name).resolve()) for device in devices)
    return {port for path in paths for port in re.findall(r"/(\d+-[\d.]+)(?=/)", path)}


def install(site: Site | None, root: Path) -> None:
    """Lay the rules and have usbguard read them. Nothing happens where the site does not want it or it is not there
    (``./hiroba install`` brings it). Raises InstallStepFailed.
    """
    if site is None or not site.usb.guard or shutil.which(PROGRAM) is None:
        return
    if not (root / PRESENT).exists():
        lines = trusted(_generated(), _mounted(), keyboards=site.usb.keyboards)
        _write(root / PRESENT, _HEAD + "".join(f"{line}\n" for line in lines))
    _write(root / RULES, rules(site)[RULES].text)
    if BOOTED.is_dir():
        subprocess.run(["systemctl", "enable", "--quiet", "usbguard.service"], check=False)
        subprocess.run(["systemctl", "restart", "usbguard.service"], check=False)


def _generated() -> str:
    """Raises InstallStepFailed: rules that leave out what is there would cut it off."""
    if not Path("/sys/bus/usb/devices").is_dir():
        return ""
    done = subprocess.run([PROGRAM, "generate-policy", "--with-ports"], capture_output=True, text=True, check=False)
    if done.returncode:
        raise InstallStepFailed(step="usbguard generate-policy", reason=done.stderr.strip()[-300:])
    return done.stdout


def _mounted() -> set[str]:
    return mounted_ports(Path("/proc/self/mounts").read_text("utf-8"), Path("/sys/class/block"))


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    atomic_write(file, text.encode("utf-8"), mode=0o600, durable=False)
