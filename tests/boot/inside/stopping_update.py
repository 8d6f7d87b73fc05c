"""Runs inside the container in place of ``hiroba bundle COMMAND``: the same, but at the beginning of one step it stands
still, as if there were all the time in the world to pull the plug. Arguments: install or settle, the step.
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from device.clock import SystemClock
from device.logs import open_log
from provisioning.site.reading import read_site
from provisioning.updates.local_commands import read_commands
from provisioning.updates.record import Record
from provisioning.updates.slots import Slots
from provisioning.updates.steps import Step
from provisioning.updates.wiring import build_installer, open_client

STOPPED = Path("/run/hiroba-update-stopped")


def stand_still(at: Step, step: Step) -> None:
    """The test looks for the file, then kills the box."""
    if step is at:
        STOPPED.write_text(step)
        signal.pause()


if __name__ == "__main__":
    command, where = sys.argv[1], Step(sys.argv[2])
    slots, site = Slots(Path("/opt/hiroba")), read_site(Path("/etc/hiroba/site.toml"))
    record = Record(slots, Path("/var/lib/hiroba"), SystemClock(), open_log("update"))
    installer = build_installer(
        slots, site, record, print, commands=read_commands(), step=lambda step: stand_still(where, step)
    )
    if command == "install":
        installer.update(open_client(site.updates.source, site.updates, None, slots))
    else:
        installer.settle(after_start=True)
