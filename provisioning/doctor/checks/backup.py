"""How old the last back-up is."""

from __future__ import annotations

from datetime import UTC, datetime

from device.health.finding import Finding, error, ok, warning
from provisioning.backup.backup_writer import last_backup
from provisioning.doctor.examined_box import ExaminedBox


def check(box: ExaminedBox) -> list[Finding]:
    """Reads the note that the last back-up left."""
    note = last_backup(box.state)
    at = datetime.fromisoformat(note.at) if note else None
    hours = (box.clock.now().astimezone(UTC) - at).total_seconds() / 3600 if at else None
    return [judge(hours, wanted=box.site.backup is not None)]


def judge(hours: float | None, *, wanted: bool) -> Finding:
    """hours since the last archive; None: never. wanted: the site file has [backup]."""
    if hours is None:
        return warning("backup.never") if wanted else warning("backup.not_set_up")
    seen = round(hours)
    if hours > 7 * 24:
        return error("backup.too_old", hours=seen)
    return warning("backup.old", hours=seen) if hours > 36 else ok("backup.fresh", hours=max(0, seen))
