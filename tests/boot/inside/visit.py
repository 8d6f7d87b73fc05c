"""Runs inside the container: one resident's whole visit at the kiosk; prints the screens and the newest request."""

from __future__ import annotations

import json
from pathlib import Path

from provisioning.demo.once import Visitor
from provisioning.demo.plain_browser import PlainBrowser
from provisioning.virtual import VirtualFolder

STATE = Path("/var/lib/hiroba")

if __name__ == "__main__":
    screens = Visitor(PlainBrowser("http://127.0.0.1:8100/"), VirtualFolder(STATE), Path("/run/log/journal"), "ja").go()
    print(json.dumps([screen["screen"] for screen in screens]))  # noqa: T201 - the test reads it
