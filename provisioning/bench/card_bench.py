"""The card rows: how many commands a visit costs, beside OpenSC, and what our layers add to the bare exchange.

A visit here: select, tries left, PIN, credential, one signature. The kiosk reads no attributes at all (README of
device), so there is no such command to count.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

from device.card.my_number_card import MyNumberCard, PinAccepted
from device.card.pcscd import PcscService
from device.card.transport import CardTransport, Response
from device.card.virtual import process
from device.card.virtual.card import VirtualCard
from device.card.virtual.pki import DEMO_PIN, TestPki
from device.card.virtual.reader import VirtualReader
from device.errors import CardError, CardProtocolError
from device.secrets import Pin
from provisioning.bench.figures import in_turn, median, milliseconds
from provisioning.bench.processes import stop
from provisioning.bench.rows import Measured
from provisioning.bench.workload import Workload
from provisioning.demo.plaza import NEEDED
from provisioning.errors import ProgramMissing, RootNeeded

NONCE = bytes(32)
_SEEN_SECONDS = 20.0


class _Recorded:
    """Passes commands on and remembers their bytes (of a TEST card with the demo's PIN)."""

    def __init__(self, inner: CardTransport) -> None:
        self._inner = inner
        self.commands: list[bytes] = []

    def transmit(self, apdu: bytes) -> Response:
        """See CardTransport."""
        self.commands.append(
            bytes(bytearray(apdu))
        )  # a copy: the command with the PIN is overwritten after it was sent
        return self._inner.transmit(apdu)

    def close(self) -> None:
        """See CardTransport."""
        self._inner.close()


def measure(workload: Workload) -> Iterator[Measured]:
    """See benches.MODULES."""
    pki = TestPki(workload.folder / "pki")
    pki.ensure(["demo"])
    with ExitStack() as stack:
        try:
            state = _service(stack, workload, pki)
        except (CardError, ProgramMissing, RootNeeded) as error:
            yield from _counts(pki, None, f"OpenSC was not run: {error.code}")
            yield Measured("card.time_over_bare", None, note=f"no pcscd: {error.code}")
            return
        opensc, why = _opensc(workload, state)
        yield from _counts(pki, opensc, why)
        yield _over_bare(workload.size(40, 2))


def _counts(pki: TestPki, opensc: float | None, why: str) -> Iterator[Measured]:
    for name, extended in (("card.apdus_short", False), ("card.apdus_extended", True)):
        note = "; ".join(filter(None, ("select, tries, credential, PIN, one signature", why)))
        yield Measured(name, len(_recorded(pki, extended)), opensc, note)


def _recorded(pki: TestPki, extended: bool) -> list[bytes]:
    recorder: list[_Recorded] = []

    def wrap(inner: CardTransport) -> CardTransport:
        recorder.append(_Recorded(inner))
        return recorder[-1]

    connection = VirtualReader(VirtualCard.load(pki.cards / "demo"), wrap).connect()
    card = MyNumberCard(connection, extended=extended)
    _visit(card)
    card.close()
    return recorder[0].commands


def _visit(card: MyNumberCard) -> None:
    """Raises CardProtocolError when the demo's PIN is not the card's."""
    card.select()
    card.tries_left()
    pin = Pin.parse(DEMO_PIN)
    if pin is None or not isinstance(card.verify(pin), PinAccepted):
        raise CardProtocolError(sw="-", command="verify")
    card.credential()
    card.sign(NONCE)


def _service(stack: ExitStack, workload: Workload, pki: TestPki) -> Path:
    """A pcscd of our own with the demo's card in it; the card's state file. Raises CardError, ProgramMissing,
    RootNeeded.
    """
    if os.geteuid() != 0:
        raise RootNeeded(command="hiroba bench card", reason="a pcscd of its own")
    for file, package in NEEDED.items():
        if not Path(file).exists():
            raise ProgramMissing(program=file, package=package)
    run = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hb-pcsc-")))
    service = stack.enter_context(PcscService(run))
    os.environ.update(service.environment)
    stack.callback(lambda: [os.environ.pop(name, None) for name in service.environment])
    state = workload.folder / "card.json"
    process.insert(state, "demo")
    words = ["--state", str(state), "--cards", str(pki.cards), "--port", str(service.port)]
    running = subprocess.Popen([sys.executable, "-m", "device.card.virtual.process", *words])
    stack.callback(lambda: stop([running]))
    _connected().close()
    return state


def _connected() -> CardTransport:
    """A connection to the card, as soon as pcscd has seen it. Raises CardError."""
    from device.card.drivers import open_reader
    from device.card.settings import CardSettings

    until = time.monotonic() + _SEEN_SECONDS
    reader = open_reader(CardSettings())
    while time.monotonic() < until:
        with suppress(CardError):
            return reader.connect()
        time.sleep(0.1)
    return reader.connect()


def _opensc(workload: Workload, state: Path) -> tuple[float | None, str]:
    """Commands that OpenSC's own tool sends for a log-in and a signature, as the card counted them."""
    if not shutil.which("pkcs11-tool"):
        return None, "pkcs11-tool is not installed"
    message, signature = workload.folder / "message", workload.folder / "signature"
    message.write_bytes(NONCE)
    paths = ["--input-file", str(message), "--output-file", str(signature)]
    words = ["--login", "--pin", DEMO_PIN, "--sign", "-m", "SHA256-RSA-PKCS", "--id", "01", *paths]
    before = _served(state)
    began = time.perf_counter()
    done = subprocess.run(["pkcs11-tool", *words], capture_output=True, check=False, timeout=60)
    took = (time.perf_counter() - began) * 1000
    if done.returncode:
        return None, "pkcs11-tool could not sign"
    return float(_served(state) - before), f"pkcs11-tool --login --sign, without reading a credential: {took:.0f} ms"


def _served(state: Path) -> int:
    """What the virtual card has served; it tells within a moment."""
    time.sleep(4 * process.POLL_SECONDS)
    return process.read_report(process.report_file(state)).apdus


def _over_bare(runs: int) -> Measured:
    """Our layers against the same bytes sent straight through PC/SC, on connections that are open already."""
    recorder = _Recorded(_connected())
    _visit(MyNumberCard(recorder))
    recorder.close()

    def ours() -> float:
        connection = _connected()
        took = milliseconds(lambda: _visit(MyNumberCard(connection)))
        connection.close()
        return took

    def bare() -> float:
        connection = _connected()
        took = milliseconds(lambda: [connection.transmit(command) for command in recorder.commands])
        connection.close()
        return took

    layered, plain = (median(values) for values in in_turn([ours, bare], runs))
    note = f"{layered:.3g} ms for {plain:.3g} ms of {len(recorder.commands)} bare commands, through pcscd and vpcd"
    return Measured("card.time_over_bare", layered / plain, note=note)
