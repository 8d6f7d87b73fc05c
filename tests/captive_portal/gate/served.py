"""A MemoryGate behind the gate's own socket server, in a thread, for tests that need another process's view of it."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from captive_portal.gate.memory import MemoryGate
from captive_portal.gate.permissions import Caller
from captive_portal.gate.server import Server
from captive_portal.wiring_virtual_gate import MemoryRequestHandler
from device.clock import SystemClock
from device.logs import open_log


@contextmanager
def served(gate: MemoryGate, path: Path) -> Iterator[None]:
    """``gate`` answers at ``path`` inside the block."""
    clock = SystemClock()
    with Path(os.devnull).open("w") as sink:
        server = Server(
            path, {os.getuid(): Caller.STAFF}, MemoryRequestHandler(gate, clock), clock, open_log("test", sink)
        )
        thread = threading.Thread(target=server.serve)
        thread.start()
        try:
            yield
        finally:
            server.stop()
            thread.join(10.0)
