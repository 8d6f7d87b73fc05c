"""The demo's children: when one was stopped, nothing of it runs any more."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import psutil
import pytest

from device.loopback import free_ports
from provisioning.demo.processes import Child, answers
from provisioning.errors import DemoNotReady

SITE = """[box]
name = "t-1"
[city]
name_ja = "試験市"
name_en = "Test City"
telephone = "06-0000-0000"
[kiosk]
port = {port}
"""


@pytest.fixture
def kiosk(tmp_path: Path) -> Child:
    """A kiosk, not started."""
    (port,) = free_ports(1)
    (tmp_path / "site.toml").write_text(SITE.format(port=port), "utf-8")
    words = ["run", "kiosk", "--config", str(tmp_path / "site.toml"), "--state", str(tmp_path)]
    return Child("kiosk", words, tmp_path / "log", lambda: answers("127.0.0.1", port, "/state"))


def group(child: Child) -> list[int]:
    """Processes of the child's session that run."""
    assert child.process
    alive = [p for p in psutil.process_iter() if p.status() != psutil.STATUS_ZOMBIE]
    return [p.pid for p in alive if os.getsid(p.pid) == child.process.pid]


def test_a_child_that_does_not_hear_is_ended_with_its_workers(kiosk: Child) -> None:
    kiosk.start()
    kiosk.wait_ready()
    assert kiosk.process
    assert len(group(kiosk)) >= 2
    kiosk.process.send_signal(signal.SIGSTOP)
    kiosk.stop(0.2)
    assert group(kiosk) == []


def test_a_child_that_was_killed_is_started_again_though_its_workers_hold_on(kiosk: Child) -> None:
    kiosk.start()
    kiosk.wait_ready()
    assert kiosk.process
    (worker,) = psutil.Process(kiosk.process.pid).children()
    worker.suspend()  # as the workers of an nginx do, it stays, and holds port and folder
    kiosk.process.kill()
    kiosk.process.wait()
    assert kiosk.revive()
    kiosk.wait_ready()
    assert not worker.is_running()
    kiosk.stop()


def test_a_child_that_hears_closes_its_database(kiosk: Child, tmp_path: Path) -> None:
    kiosk.start()
    kiosk.wait_ready()
    kiosk.stop()
    assert group(kiosk) == []
    assert not (tmp_path / "kiosk/kiosk.db-wal").exists()


def test_a_child_that_served_and_cannot_start_again_is_told(kiosk: Child, tmp_path: Path) -> None:
    kiosk.start()
    kiosk.wait_ready()
    kiosk.stop()
    (tmp_path / "kiosk/kiosk.db").write_bytes(b"SQLite format 3\0" + b"\xff" * 4096)
    assert kiosk.revive()
    assert kiosk.process
    kiosk.process.wait()
    with pytest.raises(DemoNotReady) as told:
        kiosk.revive()
    assert "kiosk.db を開けません" in str(told.value.facts["reason_ja"])
    assert "kiosk.db cannot be opened" in str(told.value.facts["reason"])
