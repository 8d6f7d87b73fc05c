"""One visit through the whole plaza, made once and looked at by several tests."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from kiosk.issuer.register.records import ResidentRecord
from kiosk.issuer.register.synthetic_people import DEMO_RESIDENT, population
from provisioning.demo.once import one_visit
from provisioning.demo.plaza import Plaza
from provisioning.demo.processes import free_port
from provisioning.demo.setup import Ports
from tests.conftest import missing

NEEDS = ("root", "pcscd", "vpcd", "ipamj", "bizud")


@dataclass(frozen=True)
class Visit:
    """A finished visit: its papers, the state folder as it was left, and every process's arguments and environment."""

    out: Path
    state: Path
    processes: bytes


def need(*names: str) -> None:
    """For fixtures: skip, or fail with HIROBA_REQUIRE=all, when something is missing here."""
    reasons = [reason for name in names if (reason := missing(name))]
    if reasons and os.environ.get("HIROBA_REQUIRE") == "all":
        pytest.fail("needed here: " + "; ".join(reasons), pytrace=False)
    if reasons:
        pytest.skip("; ".join(reasons))


def processes_seen() -> bytes:
    """Arguments and environment of every process this test started and that still runs."""
    seen = b""
    for child in psutil.Process().children(recursive=True):
        with suppress(OSError):  # it ended just now
            seen += b"".join(Path(f"/proc/{child.pid}/{name}").read_bytes() for name in ("cmdline", "environ"))
    return seen


@pytest.fixture(scope="session")
def demo_resident() -> list[ResidentRecord]:
    """The demo's household, its card's holder first."""
    everyone = population().residents
    house = next(r.household for r in everyone if r.resident == DEMO_RESIDENT)
    return [r for r in everyone if r.household == house]


@pytest.fixture(scope="session", params=["virtual", "counter"])
def visit(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Visit:
    """A whole visit in Japanese on the virtual terminal, and one in English with the fee paid at the counter."""
    need(*NEEDS)
    folder = tmp_path_factory.mktemp(request.param)
    ports = Ports(free_port(), free_port(), free_port())
    with Plaza(folder / "state", ports, request.param) as plaza:
        one_visit(plaza, folder / "out", {"virtual": "ja", "counter": "en"}[request.param])
        seen = processes_seen()
    return Visit(folder / "out", folder / "state", seen)


def run_hiroba(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The command as staff type it."""
    command = [sys.executable, "-m", "provisioning", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
