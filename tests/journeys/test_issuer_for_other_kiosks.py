"""An issuer that kiosks elsewhere reach: mutual TLS at nginx, the issuer itself on a unix socket alone."""

from __future__ import annotations

import http.client
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from device.card.virtual.pki import TestPki
from device.clock import SystemClock
from device.loopback import free_ports
from provisioning.cityhall.boxes.authority import make_authority, private_pem

pytestmark = pytest.mark.needs("nginx", "ipamj")
SITE = """
[box]
name = "TEST-issuer"
[city]
name_ja = "試験市"
name_en = "TEST City"
telephone = "06-0000-0000"
[issuer]
port = {port}
trust = "{trust}"
mayor = "試験市長　見本　太郎"
municipality_code = "27999"
tls_certificate = "server.pem"
tls_key = "server.key"
client_ca = "ca.pem"
"""


@dataclass
class Remote:
    """Where it answers, and what a kiosk needs. state also holds kiosk.pem and foreign.pem with their keys."""

    port: int
    state: Path

    def ask(self, credential: str = "") -> int:
        """The status of a request for its health by whoever shows ``credential``."""
        context = ssl.create_default_context(cafile=str(self.state / "ca.pem"))
        if credential:
            context.load_cert_chain(self.state / f"{credential}.pem", self.state / f"{credential}.key")
        asking = http.client.HTTPSConnection("localhost", self.port, timeout=20, context=context)
        try:
            asking.request("GET", "/v2/health")
            return asking.getresponse().status
        finally:
            asking.close()


def _lay(state: Path) -> None:
    now = SystemClock().now()
    city, other = (make_authority(name, ["localhost"], now) for name in ("TEST", "TEST other"))
    (state / "ca.pem").write_text(city.pem)
    keys = {name: ec.generate_private_key(ec.SECP256R1()) for name in ("server", "kiosk", "foreign")}
    issued = {
        "server": city.issue_server(["localhost"], keys["server"].public_key(), now),
        "kiosk": city.issue_box("kiosk-1", keys["kiosk"].public_key(), now, 30),
        "foreign": other.issue_box("kiosk-1", keys["foreign"].public_key(), now, 30),
    }
    for name, credential in issued.items():
        (state / f"{name}.pem").write_bytes(credential.public_bytes(Encoding.PEM))
        (state / f"{name}.key").write_bytes(private_pem(keys[name]))


@pytest.fixture(scope="module")
def remote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Remote]:
    folder = tmp_path_factory.mktemp("i")
    made = Remote(free_ports(1)[0], folder / "s")
    made.state.mkdir()
    _lay(made.state)
    pki = TestPki(folder / "pki")
    pki.ensure(["demo"])
    (folder / "site.toml").write_text(SITE.format(port=made.port, trust=pki.trust), "utf-8")
    where = ["--config", str(folder / "site.toml"), "--state", str(made.state)]
    with (folder / "log").open("wb") as log:
        running = [
            subprocess.Popen([sys.executable, "-m", "provisioning", "run", name, *where], stdout=log, stderr=log)
            for name in ("issuer", "nginx")
        ]
    try:
        while not _answers(made):
            assert [process.poll() for process in running] == [None, None], (folder / "log").read_text()
            time.sleep(0.1)
        yield made
    finally:
        for process in running:
            process.terminate()
        assert [process.wait(20) for process in running] == [0, 0]


def _answers(remote: Remote) -> bool:
    try:
        return remote.ask("kiosk") < 500
    except OSError:
        return False


def test_a_kiosk_with_the_city_s_credential_is_answered(remote: Remote) -> None:
    assert remote.ask("kiosk") == 200


@pytest.mark.parametrize("credential", ["", "foreign"])
def test_nobody_else_is(remote: Remote, credential: str) -> None:
    with pytest.raises(ConnectionError):
        remote.ask(credential)


def test_nothing_plain_listens(remote: Remote) -> None:
    with socket.create_connection(("127.0.0.1", remote.port), 20) as plain:
        plain.sendall(b"GET /v2/health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        with suppress(ConnectionResetError):
            assert plain.recv(100) == b""
