"""The box that the doctor looks at."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from device.clock import Clock
from device.health import readers
from provisioning.site.model import Site

KIOSK_UNIT = "hiroba-kiosk.service"


@dataclass(frozen=True)
class ExaminedBox:
    """units: what hiroba.target wants, None where systemd does not know it."""

    site: Site
    state: Path
    clock: Clock
    units: list[str] | None

    @property
    def has_kiosk(self) -> bool:
        """Whether the touch screen runs here. Without systemd (the demo) it is taken to."""
        return self.units is None or KIOSK_UNIT in self.units

    @property
    def has_wifi(self) -> bool:
        """Whether phones are served here."""
        return self.site.wifi is not None

    @property
    def is_raspberry_pi(self) -> bool:
        """A board that tells its voltage and temperature."""
        return readers.board().startswith("Raspberry Pi")
