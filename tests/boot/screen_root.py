"""The same root with a screen's packages on top: cage, Chromium, and for the tests a camera (grim). Kept as a tar of
its own, so that the other tests do not wait for a browser to be unpacked.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.boot.rootfs import _kept, _lay_tree, _tar, inside

SUITE = "bookworm"
CAMERA = ("grim",)


def packages() -> list[str]:
    """What packages.txt says of a box with a screen, and what the test looks with."""
    text = (Path(__file__).resolve().parents[2] / "provisioning/packages.txt").read_text("utf-8")
    section = text.partition("[screen]\n")[2].partition("\n[")[0]
    return [*(line.split("|")[0].strip() for line in section.splitlines() if line and line[0] != "#"), *CAMERA]


def unpacked_with_screen(target: Path) -> Path:
    """A fresh root at ``target``, with today's tree at /srv/hiroba."""
    target.mkdir(parents=True)
    below = _kept(SUITE)
    tar = _tar(f"{SUITE}-screen", " ".join([below.name, *packages()]), lambda work: _add(work, below))
    subprocess.run(["tar", "-C", target, "-xf", tar], check=True)
    _lay_tree(target)
    return target


def _add(work: Path, below: Path) -> None:
    subprocess.run(["tar", "-C", work, "-xf", below], check=True)
    wanted = " ".join(packages())
    inside(work, "/bin/sh", "-c", f"apt-get update -q && apt-get install -qy --no-install-recommends {wanted}")
    inside(work, "/bin/sh", "-c", "apt-get clean; rm -rf /var/lib/apt/lists/*")
