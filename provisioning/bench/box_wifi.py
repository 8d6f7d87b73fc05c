"""Our own gate, portal and nginx, as a box runs them, in a gateway's namespace."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from captive_portal.gate import protocol as p
from captive_portal.gate.client import SocketGateClient
from captive_portal.gate.errors import GateUnreachable
from device.clock import SystemClock
from device.watchdog import socket_probe
from provisioning.bench.figures import milliseconds
from provisioning.bench.network_lab import GATEWAY, PREFIX, NetworkLab, address_of, in_namespace, leases
from provisioning.bench.processes import pss_mib, stop
from provisioning.box.render import nginx_portal
from provisioning.cityhall.boxes.authority import make_authority, private_pem
from provisioning.demo.processes import listens
from provisioning.errors import DemoNotReady

PORT, TLS_PORT, STATS_PORT = 8180, 8181, 8190
SITE = f"""
[box]
name = "bench"
[city]
name_ja = "見本市"
name_en = "Mihon City"
telephone = "06-0000-0000"
[[wifi.spots]]
name = "hall"
interface = "br-lan"
uplink = "up0"
ipv4 = {{ gateway = "{GATEWAY}", prefix = {PREFIX} }}
dhcp = {{ first = "10.90.0.2", last = "10.90.63.254", leases = "leases" }}
limits = {{ minutes_per_visit = 600, devices = 0 }}
[wifi.portal]
port = {PORT}
tls_port = {TLS_PORT}
"""
TLS = """tls_certificate = "portal.pem"
tls_key = "portal.key"
"""


NAME = "wifi.example.jp"


class BoxWifi:
    """Gate, portal and nginx, with ``stats`` the statistics too, with ``tls`` a credential of its own making; they stop
    when the block is left.
    """

    def __init__(self, lab: NetworkLab, folder: Path, leased: int, *, stats: bool = False, tls: bool = False) -> None:
        self._with_stats = stats
        self.lab = lab
        self._folder = folder
        self._processes: list[subprocess.Popen[bytes]] = []
        folder.mkdir(parents=True)
        (folder / "site.toml").write_text(SITE + (TLS if tls else ""), "utf-8")
        if tls:
            _write_credential(folder)
        (folder / "leases").write_text(leases(range(leased)), "ascii")
        self.gate = SocketGateClient(folder / "gate/gate.sock", timeout=60.0)

    def __enter__(self) -> BoxWifi:
        try:
            self._start("gate", self._gate_answers)
            self._start("portal", socket_probe(str(self._folder / nginx_portal.SOCKET), "/static/icon.svg"))
            self._start("nginx", lambda: self._listens(GATEWAY, PORT))
            if self._with_stats:
                self._start("stats", lambda: self._listens("127.0.0.1", STATS_PORT))
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        stop(self._processes)

    def _start(self, name: str, ready: Callable[[], bool]) -> None:
        words = ["--config", str(self._folder / "site.toml"), "--state", str(self._folder)]
        log_file = self._folder / f"{name}.log"
        with log_file.open("wb") as log:
            process = subprocess.Popen(
                ["ip", "netns", "exec", self.lab.gateway, sys.executable, "-m", "provisioning", "run", name, *words],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
            )
        self._processes.append(process)
        deadline = time.monotonic() + 30
        while not ready():
            if process.poll() is not None or time.monotonic() > deadline:
                raise DemoNotReady(process=name, reason=log_file.read_text("utf-8", "replace")[-300:], log=log_file)
            time.sleep(0.02)

    def _gate_answers(self) -> bool:
        try:
            return self.gate.health().ready
        except GateUnreachable:
            return False

    def _listens(self, host: str, port: int) -> bool:
        return in_namespace(self.lab.gateway, lambda: listens(host, port))

    def fill(self, numbers: Sequence[int]) -> None:
        """Bring these phones online through the gate's socket, sixteen at a time."""
        with ThreadPoolExecutor(16) as pool:
            opened = list(pool.map(self._open, numbers))
        refused = [answer for answer in opened if not isinstance(answer, p.Opened)]
        if refused:
            raise DemoNotReady(process="gate", reason=f"{len(refused)} of {len(numbers)} refused", log="-")

    def _open(self, number: int) -> p.Opened | p.Refused:
        return self.gate.open(p.Open(ip=address_of(number), method="one_tap"))

    def end(self, addresses: Sequence[str]) -> None:
        """Take these phones offline again."""
        with ThreadPoolExecutor(16) as pool:
            list(pool.map(lambda ip: self.gate.end(ip=ip), addresses))

    def online(self) -> int:
        """Phones online as the gate counts them."""
        return self.gate.health().online

    def list_ms(self) -> float:
        """One listing of everyone online."""
        return milliseconds(self.gate.sessions)

    def pss(self) -> float:
        """MiB of the processes with all their workers."""
        return pss_mib(self.pids)

    @property
    def pids(self) -> list[int]:
        """Of the processes; their workers are below them."""
        return [process.pid for process in self._processes]


def _write_credential(folder: Path) -> None:
    """One of a CA that nobody keeps."""
    now, key = SystemClock().now(), ec.generate_private_key(ec.SECP256R1())
    issued = make_authority("TEST bench", [NAME], now).issue_server([NAME], key.public_key(), now)
    (folder / "portal.pem").write_bytes(issued.public_bytes(Encoding.PEM))
    (folder / "portal.key").write_bytes(private_pem(key))
