"""Composition root of ``hiroba virtual gate serve``: a gate without a kernel on the gate's own socket, for the demo."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from captive_portal.gate import protocol as p
from captive_portal.gate.memory import MemoryGate
from captive_portal.gate.permissions import Caller
from captive_portal.gate.server import Server
from captive_portal.settings import WifiSettings
from device.clock import Clock
from device.logs import Log

PAUSE_SECONDS = 60.0


class MemoryRequestHandler:
    """server.RequestHandler on a MemoryGate."""

    def __init__(self, gate: MemoryGate, clock: Clock) -> None:
        self._gate = gate
        self._clock = clock

    def handle(self, requests: Sequence[p.Request]) -> list[p.Answer]:
        """See server.RequestHandler."""
        return [self._gate.request(request) for request in requests]

    def tick(self) -> None:
        """See server.RequestHandler: a session that is over is ended with the next request."""

    def next_due_at(self) -> float:
        """See server.RequestHandler."""
        return self._clock.monotonic() + PAUSE_SECONDS


def build_virtual_gate(settings: WifiSettings, state: Path, clock: Clock, log: Log, phones: Sequence[str]) -> Server:
    """The server, to ``serve`` and ``stop``. phones: the addresses at which a phone stands, each with a made-up MAC."""
    gate = MemoryGate(settings, clock)
    for number, ip in enumerate(phones, 1):
        gate.arrive(ip, f"02:00:5e:00:00:{number:02x}")
    path = state / settings.gate.socket
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o711)
    return Server(path, dict.fromkeys((0, os.getuid()), Caller.STAFF), MemoryRequestHandler(gate, clock), clock, log)
