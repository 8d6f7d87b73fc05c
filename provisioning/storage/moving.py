"""Moves a box's state onto its opened volume, and has systemd mount it there at each start."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from device.files import atomic_write
from provisioning.backup.snapshot import digest
from provisioning.storage.errors import VolumeFailed

MOUNT_UNIT = "var-lib-hiroba.mount"
UNITS = Path("/etc/systemd/system")
_UNIT = """# Made by `hiroba storage prepare`: a box without an encrypted volume has no such file.
[Unit]
Description=Hiroba: the box's state, on its encrypted volume
# Not a part of local-fs.target, which the service that opens the volume comes after.
DefaultDependencies=no
Conflicts=umount.target
Before=umount.target
Requires=hiroba-storage.service
After=hiroba-storage.service

[Mount]
What=/dev/mapper/{mapping}
Where={state}
Type=ext4
Options=nodev,nosuid,noexec,noatime

[Install]
WantedBy=multi-user.target
"""

_DEVICE = """# Made by `hiroba storage prepare`: the volume may be shut for as long as city hall is away.
[Unit]
JobRunningTimeoutSec=infinity
"""

Run = Callable[[Sequence[str]], object]


def run(words: Sequence[str]) -> None:
    """Raises VolumeFailed with what the program said."""
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise VolumeFailed(step=words[0], reason=said[-1] if said else f"exit {done.returncode}")


def mount_unit(mapping: str, state: Path) -> str:
    """The text of MOUNT_UNIT."""
    return _UNIT.format(mapping=mapping, state=state)


def copy_state(mapping: str, state: Path, at: Path, do: Run = run) -> int:
    """A file system on the volume, and everything below ``state`` on it, compared byte for byte; how many files. at: a
    folder to mount it at meanwhile. Raises VolumeFailed.
    """
    device = f"/dev/mapper/{mapping}"
    do(["mkfs.ext4", "-q", "-L", "hiroba-state", device])
    at.mkdir(parents=True, exist_ok=True, mode=0o700)
    do(["mount", "-o", "nodev,nosuid,noexec", device, str(at)])
    try:
        do(["cp", "-a", f"{state}/.", str(at)])
        do(["sync", "-f", str(at)])
        return compared(state, at)
    finally:
        do(["umount", str(at)])


def compared(one: Path, other: Path) -> int:
    """Files below ``one`` that are the same below ``other``. Raises VolumeFailed at the first that is not."""
    files = [path for path in sorted(one.rglob("*")) if path.is_file() and not path.is_symlink()]
    for path in files:
        copy = other / path.relative_to(one)
        if not copy.is_file() or digest(copy) != digest(path) or copy.stat().st_mode != path.stat().st_mode:
            raise VolumeFailed(step="cp", reason=f"not the same: {path.name}")
    return len(files)


def write_mount_unit(mapping: str, state: Path, units: Path = UNITS) -> None:
    """It is the next start's, too, once it is enabled. systemd would give the device up after 90 s: not this one."""
    device = units / f"dev-mapper-{mapping}.device.d"
    device.mkdir(parents=True, exist_ok=True)
    atomic_write(device / "hiroba.conf", _DEVICE.encode("utf-8"), mode=0o644)
    atomic_write(units / MOUNT_UNIT, mount_unit(mapping, state).encode("utf-8"), mode=0o644)
