"""A box at work, seen from the test: its load goes on inside (inside/plaza_at_work.py), and after each power cut every
promise of its diary is held against the box's databases and archives.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path

from cryptography import x509

from provisioning.backup.age import Identity
from provisioning.backup.archive import open_archive
from provisioning.backup.signing import Anchors
from tests.boot.conftest import INSIDE, PYTHON
from tests.boot.container import Container
from tests.boot.inside.plaza_at_work import PHONES

SITE, ARCHIVES, DIARY = "etc/hiroba/site.toml", "var/backups/hiroba", "var/lib/hiroba-test/diary"
QUICK = """
[wifi.gate]
sample_seconds = 0.3
keep_seconds = 0.5

[wifi.stats]
collect_seconds = 0.5
"""
COUNTED = """
import json, sqlite3
def opened(file):
    connection = sqlite3.connect(f"file:/var/lib/hiroba/{file}?mode=ro", uri=True)
    connection.execute("BEGIN")
    return connection.execute
outbox, cityhall, stats = map(opened, ("enrolment/outbox.db", "fleet/fleet.db", "stats/stats.db"))
print(json.dumps({
    "waiting": [r[0] for r in outbox("SELECT id FROM outbox")],
    "received": [r[0] for r in cityhall("SELECT id FROM received WHERE kind = 'heartbeat'")],
    "counted": cityhall("SELECT heartbeats FROM box WHERE name = 'boot-1'").fetchone()[0],
    "sessions": stats("SELECT coalesce(sum(sessions), 0) FROM hour_sum WHERE spot = 'hall'").fetchone()[0],
}))
"""
"""The outbox is read first: what leaves it meanwhile has come to city hall."""


class Work:
    """``begin`` each time the box has come up; ``check`` after the next power cut."""

    def __init__(self, box: Container) -> None:
        self._box = box
        self._key = Identity.make()
        self._opened: set[str] = set()
        self.kept = 0

    def prepare(self) -> None:
        """Archives that the test can open, and counters that are kept at once."""
        site = self._box.root / SITE
        self._as_it_was = site.read_text("utf-8")
        text = self._as_it_was.replace(_recipient(self._as_it_was), self._key.recipient())
        site.write_text(text.replace("[[wifi.spots]]", f"{QUICK}\n[[wifi.spots]]", 1), "utf-8")
        (self._box.root / ARCHIVES).mkdir(parents=True, exist_ok=True)
        for old in (self._box.root / ARCHIVES).iterdir():
            old.unlink()  # made for another key
        self._box.run("systemctl", "restart", "hiroba-gate.service", "hiroba-stats.service")
        self._box.until("the gate", lambda: self._box.active("hiroba-gate.service"))
        self._box.run("hiroba", "heartbeat")
        self._before = int(str(self._counted()["sessions"]))

    def begin(self, *, waiting: bool) -> subprocess.Popen[bytes]:
        """Go to work; ends with the power. ``waiting``: return when every phone has told its diary something."""
        before = len(self._diary())
        going = self._box.begin("env", "PYTHONPATH=/srv/hiroba", PYTHON, f"{INSIDE}/plaza_at_work.py")
        if waiting:
            self._box.until("the phones are at work", lambda: phones_in(self._diary()[before:]) == PHONES)
        return going

    def check(self) -> None:
        """Every promise so far was kept. Raises AssertionError."""
        lines = self._diary()
        assert [line for line in lines if line.startswith("broken")] == []
        told, found = {line.split()[1] for line in lines if line.startswith("heartbeat")}, self._counted()
        received, waiting = found["received"], found["waiting"]
        assert isinstance(received, list)
        assert isinstance(waiting, list)
        assert told <= {*received, *waiting}
        assert found["counted"] == len(received) == len(set(received))
        self.kept = len([line for line in lines if line.startswith("kept")])
        self._archives()

    def settle(self) -> None:
        """At the end: each session that a phone was told of was counted, once."""
        lines = [line.split()[1:] for line in self._diary() if line.startswith("phone")]
        opened, asked = lines.count(["online"]), lines.count(["asks"])
        self._box.until("all are counted", lambda: int(str(self._counted()["sessions"])) - self._before >= opened)
        assert int(str(self._counted()["sessions"])) - self._before <= asked

    def finish(self) -> None:
        """The box as it was."""
        (self._box.root / SITE).write_text(self._as_it_was, "utf-8")
        self._box.run("systemctl", "restart", "hiroba-gate.service", "hiroba-stats.service")

    def _diary(self) -> list[str]:
        diary = self._box.root / DIARY
        return diary.read_text().splitlines() if diary.exists() else []

    def _counted(self) -> dict[str, object]:
        found: dict[str, object] = json.loads(self._box.run(PYTHON, "-c", COUNTED))
        return found

    def _archives(self) -> None:
        """Those that are there are whole; of those that are not, at most the last one lies about."""
        folder = self._box.root / ARCHIVES
        for file in folder.glob("hiroba-*.backup"):
            if file.name not in self._opened:
                with tempfile.TemporaryDirectory() as empty, open_archive(file, self._signers()) as archive:
                    assert archive.unpack(self._key, Path(empty)).files
                self._opened.add(file.name)
        assert len(list(folder.glob(".*"))) <= 1
        assert len(list((self._box.root / "var/lib/hiroba/backup").glob("hiroba-backup-*"))) <= 1

    def _signers(self) -> Anchors:
        """The box's own CA: city hall runs on it, too."""
        pem = (self._box.root / "var/lib/hiroba/enrolment/city-ca.pem").read_bytes()
        return Anchors(tuple(x509.load_pem_x509_certificates(pem)))


def phones_in(lines: list[str]) -> int:
    """How many phones these lines are of."""
    return len({word for line in lines for word in line.split()[:2] if word.startswith("phone")})


def _recipient(site: str) -> str:
    return next(line.split('"')[1] for line in site.splitlines() if line.startswith("recipient"))
