"""The boot rows: start of each web process, memory and idle CPU of a box with kiosk and Wi-Fi, what it writes in a day.

The issuer is left out of the memory (typst apart).
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from device.watchdog import Probe, socket_probe
from kiosk.issuer.connection import LOCAL_SOCKET
from provisioning.bench import disk_writes
from provisioning.bench.box_wifi import BoxWifi
from provisioning.bench.figures import median
from provisioning.bench.network_lab import NetworkLab
from provisioning.bench.processes import cpu_seconds, pss_mib, stop
from provisioning.bench.rows import Measured
from provisioning.bench.synthetic_issuer import SyntheticIssuer
from provisioning.bench.workload import Workload
from provisioning.box.render import nginx_portal
from provisioning.demo.processes import free_port
from provisioning.errors import DemoNotReady

WEB = ("kiosk", "issuer", "portal", "stats")
SITE = """
[box]
name = "bench"
lone = true
[city]
name_ja = "見本市"
name_en = "Mihon City"
telephone = "06-0000-0000"
[kiosk]
port = {kiosk}
terminal = "virtual"
[issuer]
trust = "{trust}"
mayor = "見本市長　見本　太郎"
municipality_code = "27999"
[[wifi.spots]]
name = "hall"
interface = "br-bench"
uplink = "up-bench"
ipv4 = {{ gateway = "10.90.0.1" }}
[wifi.portal]
host = "127.0.0.1"
port = {portal}
[wifi.stats]
port = {stats}
"""


def measure(workload: Workload) -> Iterator[Measured]:
    """See benches.MODULES."""
    with SyntheticIssuer(workload.folder / "issuer", 200) as issuing:
        ports = {name: free_port() for name in WEB if name != "issuer"}
        site = issuing.folder / "site.toml"
        site.write_text(SITE.format(**ports, trust=issuing.settings.trust), "utf-8")
        probes, runs = _probes(ports, site), range(workload.size(5, 1))
        starts = {name: median([_start(name, answers, site) for _ in runs]) for name, answers in probes.items()}
        slowest = max(starts, key=lambda name: starts[name])
        told = ", ".join(f"{name} {seconds:.2f}" for name, seconds in starts.items())
        yield Measured("box.cold_start_s", starts[slowest], note=f"exec to first answer, the slowest of: {told}")
        yield from _idle(probes["kiosk"], site, workload.size(30, 1))
    yield from disk_writes.measure(workload)


def _idle(kiosk_answers: Probe, site: Path, seconds: int) -> Iterator[Measured]:
    """All processes of a box at rest: no visitor, no phone."""
    with NetworkLab(0) as lab, BoxWifi(lab, site.parent / "wifi", 0, stats=True) as wifi:
        kiosk = _run("kiosk", site)
        try:
            _await("kiosk", kiosk_answers, kiosk)
            time.sleep(min(3, seconds))
            pids = [kiosk.pid, *wifi.pids]
            before, began = cpu_seconds(pids), time.perf_counter()
            time.sleep(seconds)
            idle = (cpu_seconds(pids) - before) / (time.perf_counter() - began)
            memory = pss_mib(pids)
        finally:
            stop([kiosk])
    what = "kiosk, gate, portal, nginx and their workers, stats, at rest"
    yield Measured("box.pss_mib", memory, note=what)
    yield Measured("box.idle_cpu", idle, note=f"{what}, {seconds} s")


def _probes(ports: Mapping[str, int], site: Path) -> dict[str, Probe]:
    """A worker's own answer; gunicorn's arbiter listens before one can answer."""
    asked = {name: socket_probe(("127.0.0.1", port)) for name, port in ports.items()}
    behind = socket_probe(str(site.parent / nginx_portal.SOCKET), "/static/icon.svg")
    local = socket_probe(str(site.parent / LOCAL_SOCKET))
    return {**asked, "issuer": local, "portal": behind, "nginx": asked["portal"]}


def _start(name: str, answers: Probe, site: Path) -> float:
    """Seconds from exec to the first answer by a worker that is ready."""
    began = time.perf_counter()
    process = _run(name, site)
    try:
        _await(name, answers, process)
        return time.perf_counter() - began
    finally:
        stop([process])


def _run(name: str, site: Path) -> subprocess.Popen[bytes]:
    words = ["run", name, "--config", str(site), "--state", str(site.parent)]
    with (site.parent / f"{name}.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "provisioning", *words], stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )


def _await(name: str, answers: Probe, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while not answers():
        if process.poll() is not None or time.monotonic() > deadline:
            raise DemoNotReady(process=name, reason="it does not answer", log="-")
        time.sleep(0.01)
