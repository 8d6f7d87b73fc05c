"""Runs inside the container, once: a made-up register, cards of the TEST PKI, and the issuer's trust in it."""

from __future__ import annotations

import shutil
from pathlib import Path

from provisioning.demo.setup import Ports, prepare
from provisioning.virtual import VirtualFolder

STATE = Path("/var/lib/hiroba")

if __name__ == "__main__":
    prepare(STATE, Ports(8100, 9100, 8631), "virtual").site.unlink()  # its site file is the demo's, not this box's
    shutil.copytree(VirtualFolder(STATE).pki / "trust", STATE / "issuer" / "trust", dirs_exist_ok=True)
