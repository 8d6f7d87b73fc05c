"""The virtual receipt printer's network side: raw TCP, as on port 9100."""

from __future__ import annotations

import contextlib
import socketserver
import threading
import time
from collections.abc import Callable
from pathlib import Path

from device.printer.escpos_stream import RealTimeScanner
from device.printer.status import Condition
from device.printer.virtual_receipt.mechanism import Mechanism

_POLL_SECONDS = 0.02


class VirtualReceiptPrinter:
    """A printer on loopback that prints into ``folder``. port 0 takes a free one; ``port`` tells. For the other
    parameters see Mechanism.
    """

    def __init__(
        self,
        folder: Path,
        port: int = 0,
        dots_per_second: int = 8000,
        on_rows: Callable[[int], object] | None = None,
    ) -> None:
        self.mechanism = Mechanism(folder, dots_per_second, on_rows)
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.mechanism = self.mechanism
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def start(self) -> None:
        """Switch on."""
        self.mechanism.start()
        self._thread.start()

    def stop(self) -> None:
        """Switch off; what stands in the buffer is lost."""
        self._server.switched_off.set()
        self._server.shutdown()
        self._server.server_close()
        self.mechanism.stop()

    def __enter__(self) -> VirtualReceiptPrinter:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    mechanism: Mechanism

    def __init__(self, address: tuple[str, int], handler: type[socketserver.BaseRequestHandler]) -> None:
        super().__init__(address, handler)
        self.switched_off = threading.Event()


class _Handler(socketserver.BaseRequestHandler):
    server: _Server

    def handle(self) -> None:
        """Take bytes until the host hangs up. A silent printer reads nothing and says nothing."""
        scanner = RealTimeScanner()
        self.request.settimeout(_POLL_SECONDS)
        with contextlib.suppress(ConnectionError):
            while not self.server.switched_off.is_set():
                if self.server.mechanism.condition is Condition.SILENT:
                    time.sleep(_POLL_SECONDS)
                    continue
                with contextlib.suppress(TimeoutError):
                    piece = self.request.recv(65536)
                    if not piece:
                        return
                    self.server.mechanism.receive(piece, scanner.feed(piece), self._answer)

    def _answer(self, answer: bytes) -> None:
        """A host that has hung up misses its answer."""
        if self.server.mechanism.condition is not Condition.SILENT:
            with contextlib.suppress(OSError):
                self.request.sendall(answer)
