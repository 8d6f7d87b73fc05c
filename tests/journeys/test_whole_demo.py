"""``hiroba demo`` as a person starts it: it names every address, each one answers, and Ctrl-C ends all of it."""

from __future__ import annotations

import http.client
import os
import re
import signal
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import urljoin, urlsplit

import psutil
import pytest

from device.loopback import free_ports
from tests.journeys.conftest import NEEDS, need


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The running demo, and what it said up to its last line."""
    need(*NEEDS, "nginx")
    state = tmp_path_factory.mktemp("demo")
    words = ["demo", "--state", str(state), "--port", str(free_ports(4)[0])]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        [sys.executable, "-m", "provisioning", *words], stdout=subprocess.PIPE, text=True, env=environment
    )
    assert process.stdout
    said = ""
    for line in process.stdout:
        said += line
        if "Ctrl-C" in line:
            break
    yield process, said
    process.send_signal(signal.SIGINT)
    process.wait(60)


def page(url: str) -> str:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    place = urlsplit(url)
    connection: http.client.HTTPConnection = http.client.HTTPConnection(place.netloc, timeout=30)
    if place.scheme == "https":
        connection = http.client.HTTPSConnection(place.netloc, timeout=30, context=context)
    path = f"{place.path}?{place.query}" if place.query else place.path
    with closing(connection):
        connection.request("GET", path, headers={"Accept-Language": "ja"})
        answer = connection.getresponse()
        if answer.status in (302, 303):
            return page(urljoin(url, answer.headers["Location"]))
        return answer.read().decode("utf-8")


def test_kiosk_portal_statistics_and_city_hall_are_named_and_answer(demo: tuple[subprocess.Popen[str], str]) -> None:
    addresses = re.findall(r"https?://\S+", demo[1])
    assert len(addresses) == 4
    kiosk, portal, stats, city_hall = (page(address) for address in addresses)
    assert "見本市" in kiosk
    assert 'data-action="login"' in portal
    assert "図書館" in stats
    assert "見本市" in city_hall


def test_what_dies_is_started_again_and_ctrl_c_ends_every_process(demo: tuple[subprocess.Popen[str], str]) -> None:
    process, _ = demo
    everyone = psutil.Process(process.pid).children(recursive=True)
    (portal,) = [p for p in everyone if "portal" in p.cmdline() and p.ppid() == process.pid]
    portal.kill()
    assert process.stdout
    assert "portal" in next(line for line in process.stdout if line.strip())
    everyone += psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0
    assert [p for p in psutil.wait_procs(everyone, 10)[1] if p.status() != psutil.STATUS_ZOMBIE] == []
