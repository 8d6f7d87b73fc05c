"""Whether this box's state can be read by who carries the card away, and what lies there that should not."""

from __future__ import annotations

from pathlib import Path

from device.health.finding import Finding, absent, ok, warning
from provisioning.doctor.examined_box import ExaminedBox

MOUNTS, BLOCK_DEVICES = Path("/proc/self/mountinfo"), Path("/sys/dev/block")
_CRYPT = "CRYPT-"
"""How device-mapper names what dm-crypt has opened."""


def check(box: ExaminedBox) -> list[Finding]:
    """Looks at the device under the state, and at whose register is here."""
    device = device_of(box.state.resolve(), MOUNTS.read_text("utf-8"))
    issuer = box.site.issuer
    return judge(
        is_encrypted(device),
        register=issuer is not None and (box.state / issuer.register).exists(),
        plaza=box.has_kiosk or box.has_wifi,
        lone=box.site.box.lone,
    )


def judge(encrypted: bool | None, *, register: bool, plaza: bool, lone: bool) -> list[Finding]:
    """encrypted: None where it cannot be told. register: of residents, with the seal key, on this box."""
    found = []
    if encrypted is None:
        found.append(absent("encryption.unknown"))
    elif encrypted:
        found.append(ok("encryption.on"))
    else:
        found.append(warning("encryption.register_readable" if register else "encryption.off"))
    if register and plaza:
        found.append(warning("encryption.lone" if lone else "encryption.register_undeclared"))
    return found


def device_of(path: Path, mounts: str) -> str:
    """MAJOR:MINOR of the file system that holds ``path``, by /proc/self/mountinfo (proc(5)); "" for none."""
    found = [line.split() for line in mounts.splitlines() if len(line.split()) > 4]
    holding = [row for row in found if path.is_relative_to(row[4].replace("\\040", " "))]
    return max(holding, key=lambda row: len(Path(row[4]).parts))[2] if holding else ""


def is_encrypted(device: str, devices: Path = BLOCK_DEVICES) -> bool | None:
    """Whether dm-crypt lies at any depth below ``device``; None for what is no block device."""
    folder = devices / device
    if not device or not folder.exists():
        return None
    folder = folder.resolve()
    named = folder / "dm" / "uuid"
    if named.exists() and named.read_text("ascii", "replace").startswith(_CRYPT):
        return True
    below = folder / "slaves"
    return any(is_encrypted(one.name, below) for one in below.iterdir()) if below.is_dir() else False
