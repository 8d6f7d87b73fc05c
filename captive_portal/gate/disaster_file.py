"""A file that stands while disaster mode is on: what units watch to change the radio's names (systemd path unit)."""

from __future__ import annotations

from pathlib import Path

from captive_portal.gate import protocol as p


class DisasterFlag:
    """The file at ``path``. A drill raises none: 00000JAPAN is for disasters alone (docs/sources.md#public-wi-fi)."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def show(self, disaster: p.Disaster) -> None:
        """Make the file stand or not. Its content, the end as ISO 8601, is for people."""
        if disaster.on and not disaster.drill:
            fresh = self._path.with_suffix(".new")
            fresh.write_text(f"{disaster.until.isoformat() if disaster.until else ''}\n", "ascii")
            fresh.replace(self._path)
        else:
            self._path.unlink(missing_ok=True)
