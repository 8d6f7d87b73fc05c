"""Whether memory, with names and PINs in it, may come to lie readable on a disk."""

from __future__ import annotations

from pathlib import Path

from device.health.finding import Finding, absent, ok, warning
from provisioning.doctor.examined_box import ExaminedBox

_BLOCK = Path("/sys/class/block")


def check(_box: ExaminedBox) -> list[Finding]:
    """Reads /proc/swaps and what kind of device each one is."""
    try:
        areas = [line.split()[0] for line in Path("/proc/swaps").read_text("utf-8").splitlines()[1:]]
    except OSError:
        return [judge(None)]
    return [judge([area for area in areas if not _safe(area)], count=len(areas))]


def judge(readable: list[str] | None, count: int = 0) -> Finding:
    """readable: swap areas on a disk that is not encrypted, None: unknown; count: all swap areas."""
    if readable is None:
        return absent("swap.unknown")
    if readable:
        return warning("swap.readable", file=readable[0])
    return ok("swap.encrypted") if count else ok("swap.off")


def _safe(area: str) -> bool:
    """In memory itself (zram), or on a device of dm-crypt."""
    name = Path(area).resolve().name
    if name.startswith("zram"):
        return not (_BLOCK / name / "backing_dev").exists() or _text(_BLOCK / name / "backing_dev") in ("", "none")
    return _text(_BLOCK / name / "dm" / "uuid").startswith("CRYPT-")


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8").strip()
    except OSError:
        return ""
