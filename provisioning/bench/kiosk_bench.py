"""The kiosk rows: drawing a screen, from PIN to choice with a slow chip, memory after a thousand visits."""

from __future__ import annotations

from collections.abc import Iterator

from provisioning.bench.figures import median, spread
from provisioning.bench.kiosk_visits import run
from provisioning.bench.rows import Measured
from provisioning.bench.workload import Workload

APDU_MS = 20


def measure(workload: Workload) -> Iterator[Measured]:
    """See benches.MODULES."""
    for name in ("many", "slow"):
        (workload.folder / name).mkdir()
    visits = workload.size(1_000, 2)
    many = run(workload.folder / "many", visits, 0)
    warm = many.screens[len(many.screens) // visits :]  # the first visit loads the templates
    yield Measured("kiosk.screen_ms", median(warm), note=f"all screens of {visits} visits, {spread(warm)}")
    slow = run(workload.folder / "slow", workload.size(10, 1), APDU_MS)
    note = f"{APDU_MS} ms for every command; issuer in memory, {spread(slow.pins)}"
    yield Measured("kiosk.pin_to_choice_s", median(slow.pins), note=note)
    note = f"after {visits} visits, the virtual printers' and the issuer's memory included"
    yield Measured("kiosk.pss_mib", many.pss, note=note)
