"""What systemd is told, and that it is told only after a proof."""

from __future__ import annotations

import http.server
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from device.watchdog import Heartbeat, Notifier, http_probe


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[socket.socket]:
    """The end that systemd holds, at ``tmp_path / "notify"``."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.settimeout(60)
        yield listener


def heard(systemd: socket.socket) -> str:
    return systemd.recv(4096).decode()


def test_the_environment_is_taken_so_that_nobody_else_speaks_for_us() -> None:
    given = {"NOTIFY_SOCKET": "/run/x", "WATCHDOG_USEC": "20000000", "WATCHDOG_PID": str(os.getpid()), "HOME": "/"}
    assert Notifier.take(given) == Notifier("/run/x", 20.0)
    assert given == {"HOME": "/"}


def test_a_watchdog_meant_for_another_process_is_not_ours() -> None:
    assert Notifier.take({"NOTIFY_SOCKET": "/run/x", "WATCHDOG_USEC": "5", "WATCHDOG_PID": "1"}).watchdog_seconds == 0.0


def test_without_systemd_nothing_is_told_and_nothing_fails(tmp_path: Path) -> None:
    assert not Notifier("", 0.0).tell("READY=1")
    assert not Notifier(str(tmp_path / "gone"), 0.0).tell("READY=1")
    Heartbeat(Notifier("", 1.0), lambda: True).stop()


def test_ready_is_told_only_after_the_first_answer(systemd: socket.socket, tmp_path: Path) -> None:
    answers = iter([False, False, True])
    seen: list[bool] = []

    def probe() -> bool:
        seen.append(next(answers))
        return seen[-1]

    heartbeat = Heartbeat(Notifier(str(tmp_path / "notify"), 0.0), probe)
    heartbeat.start()
    assert heard(systemd).startswith("READY=1")
    assert seen == [False, False, True]
    heartbeat.stop()
    assert heard(systemd) == "STOPPING=1"


def test_a_service_that_stops_answering_is_no_longer_told_alive(systemd: socket.socket, tmp_path: Path) -> None:
    answering, asked_in_vain = threading.Event(), threading.Semaphore(0)
    answering.set()

    def probe() -> bool:
        if not answering.is_set():
            asked_in_vain.release()
        return answering.is_set()

    heartbeat = Heartbeat(Notifier(str(tmp_path / "notify"), 0.04), probe)
    heartbeat.start()
    assert heard(systemd).startswith("READY=1")
    assert heard(systemd) == "WATCHDOG=1"
    answering.clear()
    for _ in range(5):
        assert asked_in_vain.acquire(timeout=60)
    heartbeat.stop()
    said = heard(systemd)
    while said == "WATCHDOG=1":  # those sent before the service fell silent
        said = heard(systemd)
    assert said == "STOPPING=1"


ROOT = Path(__file__).parents[2]
FORKING = """
import os, sys, time
from device.watchdog import Heartbeat, Notifier
asking = []
def probe():
    asking.append(1); time.sleep(0.002); asking.pop()
    return True
heartbeat = Heartbeat(Notifier(sys.argv[1], 0.004), probe)
heartbeat.start()
for _ in range(60):
    time.sleep(0.003)
    child = os.fork()
    if child == 0:
        os._exit(len(asking))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
"""


def test_no_process_is_forked_while_the_thread_asks(systemd: socket.socket, tmp_path: Path) -> None:
    command = [sys.executable, "-W", "ignore", "-c", FORKING, str(tmp_path / "notify")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, timeout=60)
    assert done.returncode == 0, done.stderr


class _Broken(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_error(500)

    def log_message(self, *_arguments: object) -> None:
        """Nothing to say."""


def test_an_error_page_is_an_answer_and_a_closed_port_is_none() -> None:
    with http.server.HTTPServer(("127.0.0.1", 0), _Broken) as server:
        port = server.server_address[1]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        assert http_probe("", port)()
        server.shutdown()
    assert not http_probe("127.0.0.1", port)()


def test_a_port_that_takes_connections_and_says_nothing_is_no_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        assert not http_probe("127.0.0.1", port, seconds=0.2)()
        assert not http_probe("127.0.0.1", port, tls=True, seconds=0.2)()
