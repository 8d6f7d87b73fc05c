"""A file that exists while disaster mode is on; a systemd path unit watches it and switches the radios."""

from __future__ import annotations

from pathlib import Path

from captive_portal.gate import protocol as p


class DisasterFile:
    """The file at ``path``. A drill makes none: the name 00000JAPAN may be sent in disasters only."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def update(self, disaster: p.Disaster) -> None:
        """Write or remove the file. Its content, the end as ISO 8601, is for people."""
        if disaster.on and not disaster.drill:
            fresh = self._path.with_suffix(".new")
            fresh.write_text(f"{disaster.until.isoformat() if disaster.until else ''}\n", "ascii")
            fresh.replace(self._path)
        else:
            self._path.unlink(missing_ok=True)
