"""Thin readers of the machine. None means: not to be had here."""

from __future__ import annotations

import ctypes
import fcntl
import os
import re
import secrets
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import NamedTuple

import psutil

SYSTEM = Path("/sys")
_UNSYNCHRONISED = 0x40  # STA_UNSYNC of <sys/timex.h>
_STATUS_OFFSET = 40  # of ``status`` in struct timex on 64-bit Linux
_CANARY_BYTES = 4096
CANARY = ".canary-"
"""How the files that ``canary`` leaves begin; nothing is in them."""
"""One block: every heartbeat writes it, so it is counted among what wears the card."""
_ASK_SECONDS = 3.0
_NEVER = 2**64 - 1
"""How systemd writes a moment that has not been (USEC_INFINITY)."""


class Space(NamedTuple):
    """A file system: bytes in all and free; inodes in all (0: it has none to count) and free."""

    total: int
    free: int
    inodes: int
    inodes_free: int


class Unit(NamedTuple):
    """A systemd unit: its name and kind ("service", "timer", …), ActiveState, whether it runs once, restarts so far."""

    name: str
    active: str
    once: bool
    restarts: int


def space(folder: Path) -> Space:
    """The file system of ``folder``."""
    seen = os.statvfs(folder)
    return Space(seen.f_blocks * seen.f_frsize, seen.f_bavail * seen.f_frsize, seen.f_files, seen.f_favail)


def canary(folder: Path) -> str:
    """Write random bytes, let go of the cached copy, and read them back from the card: "ok", "read_only",
    "differs" (read back otherwise than written) or "failed".

    One file for each user who asks, kept and written over: to make and delete one costs the card 20 times as much.
    """
    path, wanted = folder / f"{CANARY}{os.geteuid()}", secrets.token_bytes(_CANARY_BYTES)
    try:
        number = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(number, fcntl.LOCK_EX)
            os.pwrite(number, wanted, 0)
            os.fdatasync(number)
            os.posix_fadvise(number, 0, 0, os.POSIX_FADV_DONTNEED)
            found = os.pread(number, _CANARY_BYTES, 0)
        finally:
            os.close(number)
    except OSError as error:
        return "read_only" if error.errno == 30 else "failed"
    return "ok" if found == wanted else "differs"


def block_device(folder: Path, system: Path = SYSTEM) -> Path | None:
    """The device under ``folder`` in sysfs; None where a file system has none of its own."""
    number = folder.stat().st_dev
    found = system / "dev" / "block" / f"{os.major(number)}:{os.minor(number)}"
    return found.resolve() if found.exists() else None


def wear(device: Path | None) -> tuple[int | None, int | None]:
    """(percent of life used, PRE_EOL_INFO) of an eMMC; SD cards and most others tell nothing."""
    if device is None:
        return None, None
    for folder in (device / "device", device.parent / "device"):
        life, end = _text(folder / "life_time"), _text(folder / "pre_eol_info")
        if life or end:
            steps = [int(word, 16) for word in life.split()]
            return (max(steps) * 10 if steps else None), (int(end, 16) if end else None)
    return None, None


def file_system_errors(device: Path | None, system: Path = SYSTEM) -> int | None:
    """ext4's errors_count."""
    found = _text(system / "fs" / "ext4" / device.name / "errors_count") if device else ""
    return int(found) if found.isdigit() else None


def throttled(system: Path = SYSTEM) -> int | None:
    """The Pi firmware's flags, from sysfs or vcgencmd, or the alarm of its voltage sensor."""
    found = _text(system / "devices/platform/soc/soc:firmware/get_throttled")
    if not found and (program := shutil.which("vcgencmd")):
        found = _told([program, "get_throttled"]).partition("=")[2]
    if re.fullmatch(r"(0x)?[0-9a-fA-F]+", found.strip()):
        return int(found, 16)
    for sensor in sorted(system.glob("class/hwmon/hwmon*")):
        if _text(sensor / "name") == "rpi_volt" and (alarm := _text(sensor / "in0_lcrit_alarm")):
            return int(alarm) & 1
    return None


def container(run: Path = Path("/run")) -> str:
    """The kind of container this system runs in, as its systemd wrote it down; "" on a machine of its own."""
    return _text(run / "systemd" / "container")


def board(system: Path = SYSTEM) -> str:
    """The board's name in its device tree; "" where there is none (a PC)."""
    return _text(system / "firmware/devicetree/base/model").rstrip("\0")


def watchdog(system: Path = SYSTEM) -> tuple[bool, bool]:
    """(the kernel knows a hardware watchdog, systemd has pinged it)."""
    there = any(system.glob("class/watchdog/watchdog*"))
    last = _facts(_told(["systemctl", "show", "--property=WatchdogLastPingTimestampMonotonic"])) if there else {}
    pinged = last.get("WatchdogLastPingTimestampMonotonic", "")
    return there, pinged.isdigit() and 0 < int(pinged) < _NEVER


def kernel_setting(name: str, root: Path = Path("/proc/sys")) -> int | None:
    """A number among the kernel's settings, named as sysctl writes it; None where there is no such one."""
    parts = name.split(".")
    found = _text(root.joinpath(*(part.replace("/", ".") for part in parts)))
    return int(found) if found.lstrip("-").isdigit() else None


def temperature() -> float | None:
    """The hottest sensor of the processor in °C."""
    seen = [float(sensor.current) for sensors in psutil.sensors_temperatures().values() for sensor in sensors]
    return max(seen, default=None)


def memory() -> tuple[int, int]:
    """(available, total) in bytes."""
    seen = psutil.virtual_memory()
    return int(seen.available), int(seen.total)


def clock_synchronised() -> bool | None:
    """What the kernel says (adjtimex(2)); it needs no message bus and holds for every time service."""
    try:
        kernel = ctypes.CDLL(None, use_errno=True)
        answer = ctypes.create_string_buffer(512)
        if kernel.adjtimex(answer) < 0:
            return None
    except (OSError, AttributeError):
        return None
    status = int.from_bytes(answer.raw[_STATUS_OFFSET : _STATUS_OFFSET + 4], "little")
    return not status & _UNSYNCHRONISED


def packages_changed_days(status: Path = Path("/var/lib/dpkg/status")) -> int | None:
    """Whole days since any Debian package was put in or replaced; None where there is no dpkg."""
    try:
        return max(int((time.time() - status.stat().st_mtime) // 86400), 0)
    except OSError:
        return None


def rtc_off(system: Path = SYSTEM) -> int | None:
    """Battery clock minus system clock, in seconds."""
    found = _text(system / "class/rtc/rtc0/since_epoch")
    return int(found) - int(time.time()) if found.isdigit() else None


def resolver(path: Path = Path("/etc/resolv.conf")) -> str | None:
    """The first name server."""
    for line in _text(path).splitlines():
        words = line.split()
        if words[:1] == ["nameserver"] and len(words) > 1:
            return words[1]
    return None


def dns_answers(server: str | None, port: int = 53, seconds: float = _ASK_SECONDS) -> bool | None:
    """Whether ``server`` answers a question for the root's name servers; which answer does not matter."""
    if server is None:
        return None
    number = secrets.token_bytes(2)
    question = number + bytes.fromhex("010000010000000000000000020001")  # RFC 1035 §4.1
    try:
        family, _, _, _, address = socket.getaddrinfo(server, port, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, socket.SOCK_DGRAM) as line:
            line.settimeout(seconds)
            line.connect(address)
            line.send(question)
            answer = line.recv(4096)
    except OSError:
        return False
    return len(answer) >= 12 and answer[:2] == number and bool(answer[2] & 0x80)


def wanted_units(target: str = "hiroba.target") -> list[str] | None:
    """Units that ``target`` wants; None without systemd, or where it does not know the target."""
    if not Path("/run/systemd/system").exists():
        return None
    facts = _facts(_told(["systemctl", "show", target, "--property=LoadState,Wants,Requires"]))
    if facts.get("LoadState") != "loaded":
        return None
    return sorted({*facts.get("Wants", "").split(), *facts.get("Requires", "").split()})


def units(names: list[str]) -> list[Unit]:
    """How each stands now."""
    asked = "--property=Id,ActiveState,Type,NRestarts"
    told = _told(["systemctl", "show", asked, "--", *names]) if names else ""
    seen = [_facts(part) for part in told.split("\n\n") if part.strip()]
    return [
        Unit(
            facts.get("Id", "?"),
            facts.get("ActiveState", ""),
            facts.get("Type") == "oneshot",
            int(facts.get("NRestarts") or 0),
        )
        for facts in seen
    ]


def _facts(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)


def _told(command: list[str]) -> str:
    try:
        return subprocess.run(  # noqa: S603  # our own constants and unit names
            command, check=False, capture_output=True, text=True, timeout=10, stdin=subprocess.DEVNULL
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""


def _text(path: Path) -> str:
    try:
        return path.read_text("ascii", "replace").strip()
    except OSError:
        return ""
