"""Another user of the box cannot read the resident's screen nor touch it; root and the kiosk's own user can."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from device.loopback import free_ports
from device.socket_owner import owner_told, peer_user

pytestmark = pytest.mark.needs("root")
OTHER_USER = Path(__file__).with_name("other_user.py").read_text("utf-8")
NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
SITE = """
[box]
name = "TEST-plaza-1"
[city]
name_ja = "試験市"
name_en = "TEST City"
telephone = "06-0000-0000"
[kiosk]
port = {port}
opens = "00:00"
closes = "00:00"
services = ["plaza"]
"""


@pytest.fixture(scope="module")
def kiosk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """``hiroba run kiosk`` on a port of its own, with nothing plugged in."""
    folder, (port,) = tmp_path_factory.mktemp("kiosk"), free_ports(1)
    (folder / "site.toml").write_text(SITE.format(port=port), "utf-8")
    where = ["--config", str(folder / "site.toml"), "--state", str(folder / "state")]
    running = subprocess.Popen([sys.executable, "-m", "provisioning", "run", "kiosk", *where])
    try:
        while not _answers(port):
            assert running.poll() is None
            time.sleep(0.05)
        yield port
    finally:
        running.send_signal(signal.SIGTERM)
        assert running.wait(30) == 0


def _answers(port: int) -> bool:
    try:
        return bool(page(port))
    except OSError:
        return False


def page(port: int, path: str = "/") -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=20) as answer:
        return str(answer.read().decode())


def state(port: int) -> object:
    return json.loads(page(port, "/state"))


def as_nobody(port: int, trick: str, *token: str, user: list[str] = NOBODY) -> str:
    command = [*user, "/usr/bin/python3", "-", str(port), trick, *token]
    done = subprocess.run(command, input=OTHER_USER, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def as_curl(port: int, path: str) -> str:
    command = [*NOBODY, "curl", "-s", "--max-time", "20", "-L", f"http://127.0.0.1:{port}{path}"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


@pytest.mark.needs("curl")
def test_another_user_s_curl_gets_no_page(kiosk: int) -> None:
    assert [as_curl(kiosk, path) for path in ("/", "/home", "/state")] == ["not for this user\n"] * 3
    assert "data-screen" in page(kiosk)


@pytest.mark.parametrize("trick", ["plain", "half-close"])
def test_another_user_is_refused_whatever_its_headers_and_its_end_say(kiosk: int, trick: str) -> None:
    assert as_nobody(kiosk, trick).startswith("HTTP/1.1 403 ")


@pytest.mark.parametrize("trick", ["plain", "half-close", "close", "reset"])
def test_another_user_who_knows_the_page_s_token_cannot_press_a_button(kiosk: int, trick: str) -> None:
    found = re.search(r'name="token" value="([^"]+)"', page(kiosk))
    before = state(kiosk)
    assert found is not None
    assert '"home"' in json.dumps(before)
    for _ in range(10):  # closed at once: the kiosk sees the request with an end of nobody's
        as_nobody(kiosk, trick, found[1])
    time.sleep(0.3)
    assert state(kiosk) == before


def test_the_same_press_by_root_counts_so_the_token_was_a_good_one(kiosk: int) -> None:
    found = re.search(r'name="token" value="([^"]+)"', page(kiosk))
    assert found is not None
    as_nobody(kiosk, "plain", found[1], user=[])
    assert "services" in json.dumps(state(kiosk))


def pair(address: str) -> tuple[socket.socket, socket.socket]:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.create_server((address, 0), family=family) as listening:
        ours = socket.create_connection(listening.getsockname()[:2])
        return ours, listening.accept()[0]


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_the_kernel_names_the_other_end_and_nobody_once_it_is_closed(address: str) -> None:
    theirs, ours = pair(address)
    assert peer_user(ours) == os.geteuid()
    theirs.sendall(b"a request")
    theirs.close()
    assert peer_user(ours) is None
    assert ours.recv(9) == b"a request"
    ours.close()


def test_a_connection_that_is_no_tcp_has_no_user() -> None:
    one, other = socket.socketpair()
    with one, other:
        assert peer_user(one) is None


def test_an_answer_of_the_kernel_about_something_else_names_nobody() -> None:
    assert [owner_told(packet, b"") for packet in (b"", b"\0" * 15, b"\0" * 200)] == [None] * 3
