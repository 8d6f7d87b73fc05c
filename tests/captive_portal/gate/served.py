"""A MemoryGate behind the gate's own socket server, in a thread, for tests that need another process's view of it."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from captive_portal.gate import protocol as p
from captive_portal.gate.memory import MemoryGate
from captive_portal.gate.server import Server
from device.clock import Clock, SystemClock
from device.logs import open_log


class _MemoryRequestHandler:
    """server.RequestHandler on a MemoryGate."""

    def __init__(self, gate: MemoryGate, clock: Clock) -> None:
        self._gate = gate
        self._clock = clock

    def handle(self, requests: Sequence[p.Request]) -> list[p.Answer]:
        """See server.RequestHandler."""
        return [self._gate.request(request) for request in requests]

    def tick(self) -> None:
        """See server.RequestHandler."""

    def next_due_at(self) -> float:
        """See server.RequestHandler."""
        return self._clock.monotonic() + 60.0


@contextmanager
def served(gate: MemoryGate, path: Path) -> Iterator[None]:
    """``gate`` answers at ``path`` inside the block."""
    clock = SystemClock()
    with Path(os.devnull).open("w") as sink:
        server = Server(path, {os.getuid()}, _MemoryRequestHandler(gate, clock), clock, open_log("test", sink))
        thread = threading.Thread(target=server.serve)
        thread.start()
        try:
            yield
        finally:
            server.stop()
            thread.join(10.0)
