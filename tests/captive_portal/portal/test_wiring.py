"""The portal put together as a process does it, over real sockets, plain and with TLS."""

from __future__ import annotations

import http.client
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path

import pytest
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from captive_portal.gate.memory import MemoryGate
from captive_portal.settings import GateSettings, Ipv4Settings, PortalSettings, SpotSettings, WifiSettings
from captive_portal.wiring_portal import build_portal, portal_key
from device.clock import SystemClock
from device.logs import open_log
from tests.fixtures.tls import write_test_credential


class Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002  # the server's own parameter name
        """No line per request."""


def site(**portal: str) -> WifiSettings:
    ipv4 = Ipv4Settings(gateway="127.0.0.1", prefix=8)
    spot = SpotSettings(name="hall", interface="lo", uplink="up0", ipv4=ipv4)
    return WifiSettings(spots=[spot], portal=PortalSettings(**portal), gate=GateSettings(socket="none.sock"))  # type: ignore[arg-type]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., BaseWSGIServer]]:
    """Serve a built portal on a free port."""
    running: list[BaseWSGIServer] = []

    def start(
        settings: WifiSettings, tls: tuple[Path, Path] | None = None, gate: MemoryGate | None = None
    ) -> BaseWSGIServer:
        portal = build_portal(settings, tmp_path, SystemClock(), open_log("portal", StringIO()), gate)
        pair = (str(tls[0]), str(tls[1])) if tls else None
        server = make_server("127.0.0.1", 0, portal.app, threaded=True, request_handler=Quiet, ssl_context=pair)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        running.append(server)
        return server

    yield start
    for server in running:
        server.shutdown()
        server.server_close()


def test_the_api_answers_over_tls_under_its_own_name(tmp_path: Path, serve: Callable[..., BaseWSGIServer]) -> None:
    tls = write_test_credential(tmp_path, "wifi.example.jp")
    settings = site(name="wifi.example.jp", tls_certificate=str(tls[0]), tls_key=str(tls[1]))
    gate = MemoryGate(settings, SystemClock())
    gate.arrive("127.0.0.1", "02:00:00:00:00:05")
    context = ssl.create_default_context(cafile=str(tls[0]))
    asking = http.client.HTTPSConnection(
        "127.0.0.1", serve(settings, tls, gate).server_port, context=context, timeout=10
    )
    asking.request(
        "GET", "/captive-portal/api", headers={"Accept": "application/captive+json", "Host": "wifi.example.jp"}
    )
    answer = asking.getresponse()
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/captive+json")
    assert json.loads(answer.read())["user-portal-url"] == "https://wifi.example.jp/"
    asking.close()


def test_without_a_gate_the_portal_still_answers_and_says_wait(serve: Callable[..., BaseWSGIServer]) -> None:
    asking = http.client.HTTPConnection("127.0.0.1", serve(site()).server_port, timeout=10)
    asking.request("GET", "/", headers={"Host": "127.0.0.1"})
    answer = asking.getresponse()
    assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
    assert b'data-error="busy"' in answer.read()
    asking.close()


def test_two_workers_share_key_and_database(tmp_path: Path) -> None:
    log = open_log("portal", StringIO())
    first, second = (build_portal(site(), tmp_path, SystemClock(), log) for _ in range(2))
    assert len(portal_key(tmp_path)) == 32
    first.start()
    first.stop()
    second.stop()
    assert sorted(p.name for p in (tmp_path / "portal").iterdir()) == ["key", "portal.db"]
