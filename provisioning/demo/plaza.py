"""The demo's plaza as processes of their own: pcscd, virtual card and printers, issuer, kiosk; Wi-Fi and city hall."""

from __future__ import annotations

import dataclasses
import os
import shutil
import tempfile
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from types import TracebackType

from device.card.pcscd import VPCD_DRIVER, PcscService
from device.clock import SystemClock
from device.process_lock import take_process_lock
from kiosk.issuer.connection import LOCAL_SOCKET
from provisioning.box.render import nginx_portal
from provisioning.box.render.nginx_mutual import CITYHALL_SOCKET
from provisioning.demo.processes import Child, answers, answers_locally, answers_tls, listens
from provisioning.demo.setup import Ports, Prepared, prepare
from provisioning.errors import ProgramMissing, RootNeeded
from provisioning.web.serving import check_port

NEEDED = {"/usr/sbin/pcscd": "pcscd", str(VPCD_DRIVER): "vsmartcard-vpcd"}


class Plaza:
    """Everything of one demo. ``start`` returns when the first screen is served; ``stop`` ends all of it."""

    def __init__(self, folder: Path, ports: Ports, terminal: str) -> None:
        self.folder = folder
        self.logs = folder / "log"
        self._ports = ports
        # A unix socket's path is limited in length and the state folder's may be longer.
        self._run = Path(tempfile.mkdtemp(prefix="hiroba-pcscd-"))
        self._pcscd = PcscService(self._run)
        self._terminal = terminal
        self._children: list[Child] = []
        self._lock: int | None = None
        self.prepared = Prepared(folder / "site.toml")

    @property
    def address(self) -> str:
        """What to open in a browser."""
        return f"http://127.0.0.1:{self._ports.kiosk}/"

    def start(self) -> None:
        """Raises RootNeeded, ProgramMissing, AlreadyRunning, PortTaken, CardServiceDown, DemoNotReady."""
        _check_machine()
        self._lock = take_process_lock(self.folder, "hiroba demo", 0o755)  # before another one's site file is written
        for port in filter(None, dataclasses.astuple(self._ports)):
            check_port("127.0.0.1", port)
        self.prepared = prepare(self.folder, self._ports, self._terminal)
        self._pcscd.start()
        self._children = self._plan(self.prepared.site)
        if self.prepared.city_hall is not None:
            self._children += self._wifi(self.prepared.site) + self._city_hall(self.prepared.city_hall)
        for child in self._children:
            child.start()
        for child in self._children:
            child.wait_ready()

    def _plan(self, site: Path) -> list[Child]:
        state, ports = ["--state", str(self.folder)], self._ports
        config = ["--config", str(site), *state]

        def serving(port: int, name: str, *arguments: str, environment: dict[str, str] | None = None) -> Child:
            ready = partial(listens if arguments[0] == "virtual" else answers, "127.0.0.1", port)
            return Child(name, list(arguments), self.logs, ready, environment or {})

        card = ["virtual", "card", "serve", "--port", str(self._pcscd.port), *state]
        return [
            self._child("issuer", ["run", "issuer", *config], partial(answers_locally, self.folder / LOCAL_SOCKET)),
            serving(ports.kiosk, "kiosk", "run", "kiosk", *config, environment=self._pcscd.environment),
            serving(ports.page, "virtual-page", "virtual", "page", "serve", "--port", str(ports.page), *state),
            serving(
                ports.receipt, "virtual-receipt", "virtual", "receipt", "serve", "--port", str(ports.receipt), *state
            ),
            Child("virtual-card", card, self.logs, lambda: True),
        ]

    def _wifi(self, site: Path) -> list[Child]:
        """The portal on a virtual gate, and the statistics' page."""
        config = ["--config", str(site), "--state", str(self.folder)]
        ports = self._ports
        return [
            self._child("virtual-gate", ["virtual", "gate", "serve", *config], (self.folder / "gate/gate.sock").exists),
            self._child("portal", ["run", "portal", *config], (self.folder / nginx_portal.SOCKET).exists),
            self._child("nginx", ["run", "nginx", *config], partial(answers, "127.0.0.1", ports.portal)),
            self._child("stats", ["run", "stats", *config], partial(answers, "127.0.0.1", ports.stats)),
        ]

    def _city_hall(self, settings: Path) -> list[Child]:
        config = ["--config", str(settings), "--state", str(self.folder)]
        return [
            self._child("city-hall", ["run", "cityhall", *config], (self.folder / CITYHALL_SOCKET).exists),
            self._child(
                "nginx-city-hall",
                ["run", "nginx", "cityhall", *config],
                partial(answers_tls, "127.0.0.1", self._ports.staff, "/login"),
            ),
        ]

    def _child(self, name: str, arguments: list[str], ready: Callable[[], bool]) -> Child:
        return Child(name, arguments, self.logs, ready)

    @property
    def addresses(self) -> dict[str, str]:
        """What to open in a browser: kiosk, portal, stats, city_hall."""
        ports = self._ports
        kiosk = {"kiosk": self.address}
        if not ports.whole:
            return kiosk
        last_week = SystemClock().now().date() - timedelta(days=7)
        return {
            **kiosk,
            "portal": f"http://127.0.0.1:{ports.portal}/",
            "stats": f"http://127.0.0.1:{ports.stats}/?period=week&date={last_week}",
            "city_hall": f"https://127.0.0.1:{ports.staff}/",
        }

    @property
    def card_service(self) -> PcscService:
        """The pcscd of this demo, to stop and start in tests."""
        return self._pcscd

    def child(self, name: str) -> Child:
        """One of its processes, to stop and start in tests. Raises StopIteration for an unknown name."""
        return next(child for child in self._children if child.name == name)

    def restart_ended(self) -> list[str]:
        """Restart the processes that ended; their names. Raises DemoNotReady for one that cannot start again."""
        if self._children and not self._pcscd.alive:
            self._pcscd.start()
        return [child.name for child in self._children if child.restart_if_ended()]

    def stop(self) -> None:
        """End every process, the kiosk first. Safe to repeat."""
        for child in reversed(self._children):
            child.stop()
        self._pcscd.stop()
        shutil.rmtree(self._run, ignore_errors=True)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> Plaza:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.stop()


def _check_machine() -> None:
    for file, package in NEEDED.items():
        if not Path(file).exists():
            raise ProgramMissing(program=file, package=package)
    if os.geteuid() != 0:
        raise RootNeeded(
            command="hiroba demo", reason="pcscd をこのデモだけのために動かすため / to run a pcscd of its own"
        )
