"""The plug is pulled at a random moment of a visit, with phones, heartbeats and back-ups going on, again and again: the
box comes back by itself each time, every database whole, nothing printed twice, nothing paid and lost, and what phones
and city hall were promised is kept (work.py).

What is cut is every process of the box, its virtual printers too; the disk's own cache is not part of it (each fsync is
proved by the store's tests).
"""

from __future__ import annotations

import json
import random
import statistics
import subprocess
import time
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from tests.boot.conftest import INSIDE, PYTHON
from tests.boot.container import Container
from tests.boot.test_boot import Figure, join, phone, visit
from tests.boot.work import Work

pytestmark = [pytest.mark.needs("root", "mmdebstrap", "systemd-nspawn", "poppler"), pytest.mark.timeout(5400)]

CHECK = """
import pathlib, sqlite3
from device.audit import verify_chain
for file in sorted(pathlib.Path("/var/lib/hiroba").rglob("*.db")):
    reader = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
    print(file.name, *reader.execute("PRAGMA integrity_check").fetchone())
    if reader.execute("SELECT 1 FROM sqlite_master WHERE name = 'audit'").fetchone():
        verify_chain(reader)
        print(file.name, "audit ok")
"""
"""Each database is whole, and so is the chain of each audit."""
SETTLED = ("delivered", "refused", "voided", "unknown")


def rows(box: Container) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(box.run("hiroba", "journal", "list", "--json"))
    return found


def printed(box: Container, known: list[dict[str, object]]) -> Counter[str]:
    """Issue number -> how many papers carry it."""
    numbers = {str(row["issue_number"]) for row in known if row["issue_number"]}
    papers = (box.root / "var/lib/hiroba/virtual/page").glob("job-*.pdf")
    return Counter(number for paper in papers for number in numbers if number in words(paper))


@cache
def words(paper: Path) -> str:
    """What stands on a paper; a printer never takes back what it printed."""
    return subprocess.run(["pdftotext", paper, "-"], capture_output=True, text=True, check=False).stdout


def cut_and_return(box: Container, moment: float, work: Work) -> float:
    """Pull the plug ``moment`` seconds into a visit, mostly when all are at work; plug it in again, wait until it
    serves and has recovered. How long that took, in seconds.
    """
    going = work.begin(waiting=moment > 1.0), box.begin(PYTHON, f"{INSIDE}/visit.py")
    time.sleep(moment)
    box.power_cut()
    for each in going:
        each.wait(30)
    begun = time.monotonic()
    box.start()
    box.until("hiroba.target", lambda: box.active("hiroba.target"))
    box.until("recovered", lambda: all(row["state"] in SETTLED for row in rows(box)))
    return time.monotonic() - begun


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


CAMPAIGN = [pytest.param(50, seed, marks=pytest.mark.long) for seed in range(1, 5)]


@pytest.mark.parametrize(("rounds", "seed"), [(5, 5), *CAMPAIGN])
def test_a_power_cut_at_any_moment_loses_nothing_and_prints_nothing_twice(
    enrolled: Container, rounds: int, seed: int, figure: Figure
) -> None:
    box, chance, returns = enrolled, random.Random(seed), list[float]()
    begun = time.monotonic()
    assert visit(box)["state"] == "delivered"
    longest = time.monotonic() - begun
    settled = {str(row["request"]) for row in rows(box)}
    work = Work(box)
    work.prepare()
    for _ in range(rounds):
        returns.append(cut_and_return(box, chance.uniform(0.2, 1.3 * longest), work))
        told = box.run(PYTHON, "-c", CHECK).splitlines()
        assert len(told) >= 7
        assert [line for line in told if not line.endswith(" ok")] == []
        known = rows(box)
        papers = printed(box, known)
        assert max(papers.values()) == 1
        nothing_is_lost([row for row in known if row["request"] not in settled], papers)
        work.check()
        staff_come(box, papers)
        settled = {str(row["request"]) for row in known}
    figure(f"seed {seed}: median seconds from the plug to a recovered box", statistics.median(returns))
    figure(f"seed {seed}: the longest of {rounds}", max(returns))
    figure(f"seed {seed}: phones that met the state they had left", work.kept)
    work.settle()
    work.finish()
    join(box)
    box.until("the phone is online", lambda: phone(box, "login") == "online")
    assert visit(box)["state"] == "delivered"
