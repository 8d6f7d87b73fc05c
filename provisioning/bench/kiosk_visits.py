"""Visits at a kiosk on virtual hardware, as a process of its own so that its memory is the kiosk's alone:
``python -m provisioning.bench.kiosk_visits FOLDER VISITS APDU_MS`` writes a Result as JSON.
"""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from device.card.transport import CardTransport, Response
from device.card.virtual.card import TriesInMemory, VirtualCard, load_image
from device.card.virtual.pki import DEMO_PIN, TestPki
from device.card.virtual.reader import VirtualReader
from kiosk.simulator import KioskSimulator
from provisioning.bench.processes import pss_mib
from provisioning.demo.plain_browser import PlainBrowser
from provisioning.errors import DemoVisitFailed


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """screens: milliseconds of every screen drawn; pins: seconds from PIN to choice; pss: MiB at the end."""

    screens: list[float]
    pins: list[float]
    pss: float


def run(folder: Path, visits: int, apdu_ms: int) -> Result:
    """In a process of its own. Raises CalledProcessError."""
    words = [sys.executable, "-m", "provisioning.bench.kiosk_visits", str(folder), str(visits), str(apdu_ms)]
    done = subprocess.run(words, stdout=subprocess.PIPE, check=True)
    return msgspec.json.decode(done.stdout, type=Result)


class _SlowChip:
    """Thinks some time over every command."""

    def __init__(self, inner: CardTransport, seconds: float) -> None:
        self._inner, self._seconds = inner, seconds

    def transmit(self, apdu: bytes) -> Response:
        """See CardTransport."""
        time.sleep(self._seconds)
        return self._inner.transmit(apdu)

    def close(self) -> None:
        """See CardTransport."""
        self._inner.close()


class _Finger(PlainBrowser):
    """The visitor without a network between: the pages come straight from the app."""

    def __init__(self, simulator: KioskSimulator) -> None:
        super().__init__("http://127.0.0.1/")
        self._client = simulator.kiosk.app.test_client()

    def _fetch(self, method: str, url: str, body: str | None) -> tuple[int, str]:
        kind = "application/x-www-form-urlencoded" if body is not None else None
        answer = self._client.open(urlsplit(url).path, method=method, data=body, content_type=kind)
        self._show(answer.get_data(as_text=True))
        return answer.status_code, answer.headers.get("Location", "")


class Visits:
    """Visitor after visitor in front of one kiosk."""

    def __init__(self, simulator: KioskSimulator) -> None:
        self._simulator, self._finger = simulator, _Finger(simulator)
        self._image = load_image(simulator.pki.cards / "demo")  # once: reading its keys costs more than a visit
        self.screens: list[float] = []
        self.pins: list[float] = []

    def one(self) -> None:
        """From home to home, with paper. Raises DemoVisitFailed."""
        self._see("home").press("start")
        self._see("services").press("certificates")
        self._simulator.reader.insert(VirtualCard(self._image, TriesInMemory()))
        self._simulator.kiosk.watcher.look()
        self._see("enter_pin")
        began = time.perf_counter()
        self._finger.press("enter", pin=DEMO_PIN)
        self._see("choose_certificate")
        self.pins.append(time.perf_counter() - began)
        self._finger.press("choose-residence_record")
        for action in ("persons-all", "copies-1", "next"):
            self._see("choose_options").press(action)
        self._see("confirm").press("confirm")
        self._simulator.remove()
        self._see("pay").press("pay")
        self._see("take_items").press("taken")
        self._see("done").press("home")
        self._simulator.settle(1.0)

    def _see(self, screen: str) -> PlainBrowser:
        """Draw the present screen anew; it must be ``screen``. Choices made on it before are kept."""
        chosen = self._finger.controls
        began = time.perf_counter()
        self._finger.open("/")
        self.screens.append((time.perf_counter() - began) * 1000)
        if self._finger.screen != screen:
            raise DemoVisitFailed(screen=self._finger.screen, reason=f"not {screen}", log="-")
        if screen == "choose_options":
            self._finger.controls = chosen
        return self._finger


def main() -> None:
    """The command line."""
    for carried in ("device.card.pcsc", "provisioning.web.gunicorn_server"):
        importlib.import_module(carried)  # by a box's kiosk: they belong in its memory
    folder, visits, apdu_ms = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    pki = TestPki(folder / "pki")
    pki.ensure(["demo"])
    reader = VirtualReader(wrap=lambda inner: _SlowChip(inner, apdu_ms / 1000)) if apdu_ms else VirtualReader()
    simulator = KioskSimulator(folder, pki, reader=reader)
    person = Visits(simulator)
    for _ in range(visits):
        person.one()
    result = Result(screens=person.screens, pins=person.pins, pss=pss_mib([os.getpid()]))
    sys.stdout.buffer.write(msgspec.json.encode(result))


if __name__ == "__main__":
    main()
