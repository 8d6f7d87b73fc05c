"""The demo's children: when one was stopped, nothing of it runs any more."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from device.loopback import free_ports
from device.process_lock import AlreadyRunning, take_process_lock
from provisioning.demo.plaza import Plaza
from provisioning.demo.processes import Child, answers
from provisioning.demo.setup import Ports
from provisioning.errors import DemoNotReady
from tests.journeys.conftest import NEEDS, need

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
    assert kiosk.restart_if_ended()
    kiosk.wait_ready()
    assert not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE
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
    assert kiosk.restart_if_ended()
    assert kiosk.process
    kiosk.process.wait()
    with pytest.raises(DemoNotReady) as told:
        kiosk.restart_if_ended()
    assert "kiosk.db を開けません" in str(told.value.facts["reason_ja"])
    assert "kiosk.db cannot be opened" in str(told.value.facts["reason"])


def test_a_second_demo_in_one_folder_leaves_the_first_one_s_files(tmp_path: Path) -> None:
    need(*NEEDS)
    (tmp_path / "site.toml").write_text("of the first", "utf-8")
    held = take_process_lock(tmp_path, "hiroba demo")
    second = Plaza(tmp_path, Ports(*free_ports(3)), "virtual")
    with pytest.raises(AlreadyRunning):
        second.start()
    second.stop()
    assert (tmp_path / "site.toml").read_text("utf-8") == "of the first"
    os.close(held)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("sign", ["hiroba-demo-", "hiroba-pcscd-"])
def test_a_visit_that_is_cut_off_leaves_neither_folder_nor_process(tmp_path: Path, number: int, sign: str) -> None:
    need(*NEEDS)
    command = [sys.executable, "-m", "provisioning", "demo", "--once", "--out", str(tmp_path / "out")]
    demo = subprocess.Popen(command, env={**os.environ, "TMPDIR": str(tmp_path)}, start_new_session=True)
    while not list(tmp_path.glob(f"{sign}*")):
        assert demo.poll() is None
        time.sleep(0.02)
    started = psutil.Process(demo.pid).children(recursive=True)
    demo.send_signal(number)
    assert demo.wait(60) == 130
    assert list(tmp_path.iterdir()) == []
    assert [p for p in psutil.wait_procs(started, 10)[1] if p.status() != psutil.STATUS_ZOMBIE] == []


def test_a_demo_that_is_killed_takes_every_process_along(tmp_path: Path) -> None:
    need(*NEEDS)
    command = [sys.executable, "-m", "provisioning", "demo", "--once", "--out", str(tmp_path / "out")]
    demo = subprocess.Popen(command, env={**os.environ, "TMPDIR": str(tmp_path)}, start_new_session=True)
    while not list(tmp_path.glob("hiroba-demo-*/log/kiosk.log")):
        assert demo.poll() is None
        time.sleep(0.02)
    started = psutil.Process(demo.pid).children(recursive=True)
    assert [child for child in started if child.name() == "pcscd"]
    demo.kill()
    demo.wait()
    assert [p for p in psutil.wait_procs(started, 30)[1] if p.status() != psutil.STATUS_ZOMBIE] == []
