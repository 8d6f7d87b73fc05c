"""The plug is pulled at a random moment of a visit, again and again: the box comes back by itself each time, every
database whole, nothing printed twice, nothing paid and lost.

What is cut is every process of the box, its virtual printers too; the disk's own cache is not part of it (each fsync is
proved by the store's tests).
"""

from __future__ import annotations

import json
import random
import subprocess
import time
from collections import Counter

import pytest

from tests.boot.conftest import INSIDE, PYTHON
from tests.boot.container import Container
from tests.boot.test_boot import join, phone, visit

pytestmark = [pytest.mark.needs("root", "mmdebstrap", "systemd-nspawn", "poppler"), pytest.mark.timeout(5400)]

CHECK = """
import pathlib, sqlite3
for file in sorted(pathlib.Path("/var/lib/hiroba").rglob("*.db")):
    print(file.name, *sqlite3.connect(file).execute("PRAGMA integrity_check").fetchone())
"""
SETTLED = ("delivered", "refused", "voided", "unknown")


def rows(box: Container) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(box.run("hiroba", "journal", "list", "--json"))
    return found


def printed(box: Container) -> Counter[str]:
    """Issue number -> how many papers carry it."""
    found: Counter[str] = Counter()
    for paper in (box.root / "var/lib/hiroba/virtual/page").glob("job-*.pdf"):
        text = subprocess.run(["pdftotext", paper, "-"], capture_output=True, text=True, check=False).stdout
        found.update(
            {str(row["issue_number"]) for row in rows(box) if row["issue_number"] and str(row["issue_number"]) in text}
        )
    return found


def cut_and_return(box: Container, moment: float) -> None:
    """Pull the plug ``moment`` seconds into a visit, plug it in again, wait until it serves and has recovered."""
    going = box.begin(PYTHON, f"{INSIDE}/visit.py")
    time.sleep(moment)
    box.power_cut()
    going.wait(30)
    box.start()
    box.until("hiroba.target", lambda: box.active("hiroba.target"))
    box.until("recovered", lambda: all(row["state"] in SETTLED for row in rows(box)))


def staff_come(box: Container, papers: Counter[str]) -> None:
    """The last visitor took the card along; staff look at the paper, settle what is open and let the kiosk serve."""
    box.run("hiroba", "virtual", "card", "remove", "--state", "/var/lib/hiroba")
    box.run(PYTHON, f"{INSIDE}/staff.py", *papers)


def nothing_is_lost(new: list[dict[str, object]], papers: Counter[str]) -> None:
    """What was paid is delivered, or open for staff with its refund; no paper without payment."""
    for row in new:
        came_out = papers[str(row["issue_number"])]
        assert not came_out or (row["paid_yen"] and row["state"] in ("delivered", "unknown")), row
        assert not row["paid_yen"] or row["state"] == "delivered" or row["refund_due"], row


@pytest.mark.parametrize("rounds", [5, pytest.param(200, marks=pytest.mark.long)])
def test_a_power_cut_at_any_moment_loses_nothing_and_prints_nothing_twice(box: Container, rounds: int) -> None:
    chance = random.Random(rounds)
    begun = time.monotonic()
    assert visit(box)["state"] == "delivered"
    longest = time.monotonic() - begun
    settled = {str(row["request"]) for row in rows(box)}
    for _ in range(rounds):
        cut_and_return(box, chance.uniform(0.2, longest))
        told = box.run(PYTHON, "-c", CHECK).splitlines()
        assert len(told) >= 4
        assert [line for line in told if not line.endswith(" ok")] == []
        papers = printed(box)
        assert max(papers.values()) == 1
        nothing_is_lost([row for row in rows(box) if row["request"] not in settled], papers)
        staff_come(box, papers)
        settled = {str(row["request"]) for row in rows(box)}
    join(box)
    box.until("the phone is online", lambda: phone(box, "login") == "online")
    assert visit(box)["state"] == "delivered"
