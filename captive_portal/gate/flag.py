"""A file that stands while disaster mode is on: what units watch to change the radio's names (systemd path unit)."""

from __future__ import annotations

from pathlib import Path

from captive_portal.gate import protocol as p
from device.files import atomic_write


class DisasterFlag:
    """The file at ``path``. A drill raises none: 00000JAPAN is for disasters alone (facts/captive_portal.md §4)."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def show(self, disaster: p.Disaster) -> None:
        """Make the file stand or not. Its content, the end as ISO 8601, is for people."""
        if disaster.on and not disaster.drill:
            until = disaster.until.isoformat() if disaster.until else ""
            atomic_write(self._path, f"{until}\n".encode("ascii"), mode=0o644, durable=False)
        else:
            self._path.unlink(missing_ok=True)
