"""``hiroba run nginx`` as a unit starts it: what systemd hears, and what cannot start."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from provisioning.web.nginx_companion import versions
from tests.fixtures.web_processes import WebProcesses

pytestmark = pytest.mark.needs("nginx")


@pytest.fixture
def web(tmp_path: Path) -> WebProcesses:
    """Laid out, and nothing started."""
    return WebProcesses(tmp_path / "w")


@contextmanager
def systemd(folder: Path) -> Iterator[socket.socket]:
    """The end that systemd holds."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(folder / "notify"))
        listener.settimeout(60)
        yield listener


def heard_until_silence(listener: socket.socket) -> list[bytes]:
    """What comes until nothing comes any more; it does not return while something does."""
    told = []
    with suppress(TimeoutError):
        while True:
            told.append(listener.recv(4096))
    return told


def outside_systemd() -> dict[str, str]:
    """This run's environment; a container has a NOTIFY_SOCKET of its own."""
    return {name: value for name, value in os.environ.items() if name not in ("NOTIFY_SOCKET", "WATCHDOG_USEC")}


def run(web: WebProcesses, **environment: str) -> subprocess.Popen[bytes]:
    command = [
        sys.executable,
        "-m",
        "provisioning",
        "run",
        "nginx",
        "--config",
        str(web.config),
        "--state",
        str(web.state),
    ]
    with (web.folder / "nginx.log").open("ab") as log:
        return subprocess.Popen(command, stdout=log, stderr=log, env={**outside_systemd(), **environment})


def refused(web: WebProcesses) -> str:
    """What it says when it cannot start; exit code 1."""
    assert run(web).wait(60) == 1
    return web.log()


def workers(master: int) -> list[psutil.Process]:
    return [child for child in psutil.Process(master).children() if "worker process" in " ".join(child.cmdline())]


def test_systemd_hears_ready_and_watchdog_while_the_event_loop_answers_and_no_more(web: WebProcesses) -> None:
    with systemd(web.folder) as listener:
        nginx = run(web, NOTIFY_SOCKET=str(web.folder / "notify"), WATCHDOG_USEC="400000")
        try:
            assert listener.recv(4096) == b"READY=1"
            assert listener.recv(4096) == b"WATCHDOG=1"
            for worker in workers(nginx.pid):
                worker.suspend()
            listener.settimeout(4)  # longer than the companion waits for an answer
            told = heard_until_silence(listener)
            assert set(told) <= {b"WATCHDOG=1"}
            for worker in workers(nginx.pid):
                worker.resume()
            listener.settimeout(60)
            assert listener.recv(4096) == b"WATCHDOG=1"
        finally:
            nginx.terminate()
            assert nginx.wait(20) == 0


def test_its_companion_ends_with_it_and_a_killed_one_starts_again(web: WebProcesses) -> None:
    first = run(web)
    web.until(lambda: web.ask("GET", "/", Host="x")[0] == 302)
    first.send_signal(signal.SIGSTOP)  # so that it starts no worker after they were listed
    beside = psutil.Process(first.pid).children()
    first.send_signal(signal.SIGKILL)
    first.wait(20)
    for worker in beside:
        if "worker process" in " ".join(worker.cmdline()):
            worker.kill()  # systemd does that
    psutil.wait_procs(beside, timeout=60)
    assert [child for child in beside if child.is_running() and child.status() != psutil.STATUS_ZOMBIE] == []
    second = run(web)
    web.until(lambda: web.ask("GET", "/", Host="x")[0] == 302)
    second.terminate()
    assert second.wait(20) == 0


def test_a_port_that_is_taken_is_one_clear_message(web: WebProcesses) -> None:
    with socket.create_server(("127.0.0.1", web.port)):
        told = refused(web)
    assert f"ポート {web.port}（0.0.0.0）は使用中です。" in told
    assert told.count("Port ") == 1


def test_a_credential_that_is_not_there_is_one_clear_message(web: WebProcesses) -> None:
    web.key.unlink()
    told = refused(web)
    assert str(web.key) in told
    assert "Traceback" not in told


def test_a_name_that_nginx_would_read_otherwise_is_one_clear_message(web: WebProcesses) -> None:
    web.config.write_text(web.config.read_text("utf-8").replace('"wifi.example.jp"', '"wifi;example"'), "utf-8")
    told = refused(web)
    assert "wifi.portal.name" in told
    assert "Traceback" not in told


def test_a_folder_s_name_may_have_blanks_and_quotes_of_one_kind(tmp_path: Path) -> None:
    web = WebProcesses(tmp_path / "平 場's box", tls=False)
    nginx = run(web)
    web.until(lambda: web.ask("GET", "/", Host="x")[0] == 302)
    assert "混み合っています" in web.ask("GET", "/")[2]  # no portal is started
    nginx.terminate()
    assert nginx.wait(20) == 0


@pytest.mark.parametrize("name", ["a:b", 'a"b', "a$b", "a{b", "a;b", "a\\b"])
def test_a_folder_s_name_that_nginx_would_misread_is_one_clear_message(tmp_path: Path, name: str) -> None:
    told = refused(WebProcesses(tmp_path / name))
    assert "nginx の設定を作れません" in told
    assert "Traceback" not in told


def test_what_nginx_itself_refuses_ends_it_with_its_own_words(web: WebProcesses) -> None:
    web.key.write_text("no key")
    assert "cannot load certificate key" in refused(web)


def test_without_systemd_and_without_a_credential_nothing_stands_beside_it(tmp_path: Path) -> None:
    web = WebProcesses(tmp_path / "w", tls=False)
    nginx = run(web)
    web.until(lambda: web.ask("GET", "/", Host="x")[0] == 302)
    assert psutil.Process(nginx.pid).children() == workers(nginx.pid)
    nginx.terminate()
    assert nginx.wait(20) == 0


def test_a_file_is_seen_to_change_by_its_content_s_time_its_place_and_its_absence(tmp_path: Path) -> None:
    file = tmp_path / "a.pem"
    seen = [versions([str(file)])]
    for text in ("one", "two"):
        with suppress(FileNotFoundError):
            file.unlink()
        file.write_text(text)
        os.utime(file, ns=(0, len(seen)))
        seen.append(versions([str(file)]))
    assert seen[0] == [None]
    assert len({str(each) for each in seen}) == 3
