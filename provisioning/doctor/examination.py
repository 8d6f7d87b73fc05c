"""Every check of one box, side by side. A check that breaks is itself an error, never an OK."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from device.clock import Clock
from device.health import readers
from device.health.finding import Finding, Severity, error
from provisioning.doctor.examined_box import ExaminedBox
from provisioning.doctor.table import CHECKS, Check
from provisioning.site.model import Site


def examine(site: Site, state: Path, clock: Clock, checks: Sequence[Check] = CHECKS) -> list[Finding]:
    """Every finding of this box, in the order of ``checks``."""
    box = ExaminedBox(site, state, clock, readers.wanted_units())
    with ThreadPoolExecutor(max_workers=8) as pool:
        found = pool.map(lambda check: _run(check, box), [check for check in checks if check.here(box)])
        return [finding for findings in found for finding in findings]


def problem_codes(site: Site, state: Path, clock: Clock) -> list[str]:
    """Codes of warnings and errors, each once: what the heartbeat tells."""
    found = examine(site, state, clock)
    return sorted({f.code for f in found if f.severity in (Severity.WARNING, Severity.ERROR)})


def _run(check: Check, box: ExaminedBox) -> list[Finding]:
    try:
        return list(check.run(box))
    except Exception as broken:  # whatever it was, the other checks are wanted all the same
        return [error("doctor.check_failed", check=check.name, reason=type(broken).__name__)]
