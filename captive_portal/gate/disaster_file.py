"""A file that exists while disaster mode is on; a systemd path unit watches it and switches the radios."""

from __future__ import annotations

from pathlib import Path

from captive_portal.gate import protocol as p
from device.files import atomic_write


class DisasterFile:
    """The file at ``path``. A drill makes none: 00000JAPAN is for disasters alone (docs/sources.md#public-wi-fi)."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def update(self, disaster: p.Disaster) -> None:
        """Write or remove the file. Its content, the end as ISO 8601, is for people."""
        if disaster.on and not disaster.drill:
            until = disaster.until.isoformat() if disaster.until else ""
            atomic_write(self._path, f"{until}\n".encode("ascii"), mode=0o644, durable=False)
        else:
            self._path.unlink(missing_ok=True)
