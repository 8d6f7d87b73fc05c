"""Runs inside the container: one resident's whole visit at the kiosk; prints the screens and the newest request."""

from __future__ import annotations

import json
from pathlib import Path

from provisioning.demo.once import Visitor
from provisioning.demo.plain_browser import PlainBrowser
from provisioning.virtual import VirtualFolder

STATE = Path("/var/lib/hiroba")

if __name__ == "__main__":
    browser = PlainBrowser("http://127.0.0.1:8100/")
    screens = Visitor(browser, VirtualFolder(STATE), Path("/run/log/journal"), "ja").run()
    print(json.dumps([screen["screen"] for screen in screens]))  # noqa: T201 - the test reads it
