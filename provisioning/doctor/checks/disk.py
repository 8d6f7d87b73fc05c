"""The disk under the state folder: room, a written and read canary, wear, and the file system's own errors."""

from __future__ import annotations

from device.health import readers
from device.health.finding import Finding, absent, error, ok, warning
from device.health.readers import Space
from provisioning.doctor.examined_box import ExaminedBox

MIB = 1 << 20


def check(box: ExaminedBox) -> list[Finding]:
    """Looks at the file system, and writes one block."""
    if not box.state.is_dir():
        return [error("disk.no_state_folder")]
    device = readers.block_device(box.state)
    return [
        judge_space(readers.space(box.state)),
        judge_canary(readers.canary(box.state)),
        judge_wear(*readers.wear(device)),
        judge_file_system(readers.file_system_errors(device)),
    ]


def judge_space(seen: Space) -> Finding:
    """Journals need room; a full card stops the kiosk."""
    percent = 100 * seen.free // max(1, seen.total)
    inodes = 100 * seen.inodes_free // seen.inodes if seen.inodes else 100
    facts: dict[str, str | int | float] = {"free_mib": seen.free // MIB, "free_percent": min(percent, inodes)}
    if seen.free < 100 * MIB or inodes < 2:
        return error("disk.full", **facts)
    return warning("disk.nearly_full", **facts) if percent < 10 or inodes < 10 else ok("disk.space", **facts)


def judge_canary(answer: str) -> Finding:
    """answer: "ok", "read_only", "differs" (read back otherwise than written) or "failed"."""
    if answer == "ok":
        return ok("disk.writes")
    codes = {"read_only": "disk.read_only", "differs": "disk.read_back_mismatch"}
    return error(codes.get(answer, "disk.write_failed"))


def judge_wear(life_used_percent: int | None, end_of_life: int | None) -> Finding:
    """eMMC's own estimate (JESD84-B51 §7.4: DEVICE_LIFE_TIME_EST in steps of 10 %, PRE_EOL_INFO 1 to 3)."""
    if life_used_percent is None and end_of_life is None:
        return absent("disk.wear_unknown")
    used = life_used_percent or 0
    if end_of_life == 3 or used > 100:
        return error("disk.worn_out", used_percent=used)
    if end_of_life == 2 or used >= 80:
        return warning("disk.wearing", used_percent=used)
    return ok("disk.wear", used_percent=used)


def judge_file_system(errors: int | None) -> Finding:
    """ext4's own count of errors since the last check."""
    if errors is None:
        return absent("disk.errors_unknown")
    return error("disk.file_system_errors", count=errors) if errors else ok("disk.file_system")
