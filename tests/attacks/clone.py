"""A copy of a box's card, put into another box: ``python -m tests.attacks.clone STATE CONFIG``.

STATE is the copied state folder; the copy tells city hall how it is, as the real one would, and prints what came of it.
"""

from __future__ import annotations

import shutil
import sys
from dataclasses import replace
from pathlib import Path

from device.clock import SystemClock
from device.logs import open_log
from device.sender import LineDown
from provisioning.enrolment.heartbeat import make_heartbeat
from provisioning.enrolment.wiring import BoxConnection, cityhall_link_of, open_connection
from provisioning.site.reading import read_site


def copy_card(state: Path, target: Path) -> Path:
    """All of a box's state, byte by byte."""
    return Path(shutil.copytree(state, target))


def connection(state: Path, config: Path) -> BoxConnection:
    """The line of whoever holds ``state``."""
    site = read_site(config)
    line = open_connection(site, cityhall_link_of(site, config, "clone"), state, SystemClock(), open_log("clone"))
    elsewhere = replace(line.steps.city_hall, started=lambda: f"start of {state}")  # another machine
    return replace(line, steps=replace(line.steps, city_hall=elsewhere))


def call(line: BoxConnection) -> str:
    """One heartbeat: "" when city hall took it, else its refusal."""
    try:
        line.steps.city_hall.post([make_heartbeat(line.sources)])
    except LineDown as error:
        return str(error.facts["reason"])
    return ""


if __name__ == "__main__":
    sys.stdout.write(call(connection(Path(sys.argv[1]), Path(sys.argv[2]))) or "taken")
