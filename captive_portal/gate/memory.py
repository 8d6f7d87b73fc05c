"""A gate in memory for tests, training and the demo: the real desired state, no kernel behind it."""

from __future__ import annotations

from captive_portal.gate import protocol as p
from captive_portal.gate.client import AskingGate
from captive_portal.gate.errors import GateUnreachable
from captive_portal.gate.policy.dispatch import answer
from captive_portal.gate.policy.identity import Handles, Tokens
from captive_portal.gate.policy.session import Sighting, spot_of
from captive_portal.gate.policy.session_policy import Book
from captive_portal.settings import WifiSettings
from device.clock import Clock


class MemoryGate(AskingGate):
    """GateClient whose phones are put on the air by hand: ``arrive("10.90.0.5", "02:00:00:00:00:05")``. ``passes`` says
    what the real kernel would do. ``down = True`` makes every question fail as if the gate were not running.
    """

    def __init__(self, settings: WifiSettings, clock: Clock) -> None:
        self.book = Book(settings, clock, Handles(clock), Tokens(b"memory gate, not secret"))
        self.down = False
        self._settings = settings
        self._air: dict[str, Sighting] = {}
        self._usage: list[p.Usage] = []

    def arrive(self, ip: str, mac: str, *, leased: bool = True, ip4: str = "") -> None:
        """A phone with this address and MAC is on the air. ip4: its IPv4 address when ``ip`` is IPv6."""
        spot = spot_of(self._settings, ip)
        if spot is None:
            raise ValueError("address of no spot")
        self._air[ip] = Sighting(spot.name, mac, ip4 or ("" if ":" in ip else ip), leased)

    def leave(self, ip: str) -> None:
        """The phone is off the air."""
        self._air.pop(ip, None)

    def passes(self, ip: str) -> bool:
        """Would a packet of the phone at ``ip`` be forwarded now?"""
        self.book.due()
        seen = self._air.get(ip)
        if seen is None:
            return False
        online = any(s.mac == seen.mac and s.ip4 == seen.ip4 for s in self.book.sessions.values())
        return online or (self.book.disaster.on and seen.mac not in self.book.blocks)

    def traffic(self, ip: str, up: int, down: int) -> None:
        """The phone at ``ip`` moved this many bytes."""
        seen = self._air[ip]
        for session in [s for s in self.book.sessions.values() if s.mac == seen.mac]:
            self.book.count(session, up, down)

    def ask(self, request: p.Request) -> p.Answer:
        """See AskingGate."""
        if self.down:
            raise GateUnreachable(reason="down")
        self.book.due()
        if isinstance(request, p.DrainUsage):
            return self._drain(request)
        if isinstance(request, p.GetHealth):
            return p.Health(ready=True, online=len(self.book.sessions), heals=0)
        given = answer(self.book, request, self._air.get(getattr(request, "ip", "")))
        self._usage += self.book.take_changes().usage
        return given

    def _drain(self, request: p.DrainUsage) -> p.UsageBatch:
        self._usage += self.book.take_changes().usage
        self._usage = [u for u in self._usage if u.number > request.acknowledged]
        return p.UsageBatch(usage=self._usage[: request.limit])
