"""The real box behind the ports: programs it runs, and whether its units stand."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence

from provisioning.box.apply.plan import wanted_units
from provisioning.box.health import Check, HealthWait, command_check
from provisioning.box.install.units import disaster_unit
from provisioning.site.model import Site

HEALTH_SECONDS = 60.0
_RUN_SECONDS = 60


class SystemRunner:
    """Programs of this box."""

    def run(self, *words: str) -> str:
        """See Runner."""
        try:
            done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=_RUN_SECONDS)
        except (OSError, subprocess.TimeoutExpired) as error:
            return f"{words[0]}: {type(error).__name__}"
        if not done.returncode:
            return ""
        said = (done.stderr or done.stdout).strip().splitlines()
        return said[-1] if said else f"{words[0]}: exit {done.returncode}"


class UnitHealth:
    """Healthy: every unit that was active before, and every one that was touched, is active and stays so. Our units
    are active only once their process has answered (Type=notify, device/watchdog.py).
    """

    def __init__(self, before: Site | None, seconds: float = HEALTH_SECONDS) -> None:
        known = wanted_units(before) if before else []
        self._active = [unit for unit in known if not _wrong(unit)]
        self._seconds = seconds

    def __call__(self, site: Site, touched: Sequence[str]) -> str:
        """See Health."""
        now = wanted_units(site)
        watched = [unit for unit in now if unit in self._active or unit in touched]
        if not watched:
            return ""
        return HealthWait([_named(unit) for unit in watched], self._seconds).wait()


def _named(unit: str) -> Check:
    return lambda: unit if _wrong(unit) else ""


def _wrong(unit: str) -> str:
    """With several units systemctl is content with one: in a disaster the radio's other unit is enough."""
    units = [unit, twin] if (twin := disaster_unit(unit)) else [unit]
    return command_check(("systemctl", "is-active", "--quiet", *units))()
