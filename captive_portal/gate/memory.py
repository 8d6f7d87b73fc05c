"""A gate in memory for tests, training and the demo: the real desired state, no kernel behind it."""

from __future__ import annotations

from captive_portal.gate import protocol as p
from captive_portal.gate.client import BaseGateClient
from captive_portal.gate.errors import GateUnreachable
from captive_portal.gate.policy.dispatch import dispatch
from captive_portal.gate.policy.identity import DailyPseudonyms, ResumeTokens
from captive_portal.gate.policy.session import ObservedPhone, spot_of
from captive_portal.gate.policy.session_policy import SessionPolicy
from captive_portal.settings import WifiSettings
from device.clock import Clock


class MemoryGate(BaseGateClient):
    """GateClient whose phones are put on the air by hand: ``arrive("10.90.0.5", "02:00:00:00:00:05")``. ``passes`` says
    what the real kernel would do. ``down = True`` makes every question fail as if the gate were not running.
    """

    def __init__(self, settings: WifiSettings, clock: Clock) -> None:
        self.policy = SessionPolicy(settings, clock, DailyPseudonyms(clock), ResumeTokens(b"memory gate, not secret"))
        self.down = False
        self._settings = settings
        self._air: dict[str, ObservedPhone] = {}
        self._usage: list[p.UsageEvent] = []

    def arrive(self, ip: str, mac: str, *, leased: bool = True, ip4: str = "") -> None:
        """A phone with this address and MAC is on the air. ip4: its IPv4 address when ``ip`` is IPv6."""
        spot = spot_of(self._settings, ip)
        if spot is None:
            raise ValueError("address of no spot")
        self._air[ip] = ObservedPhone(spot.name, mac, ip4 or ("" if ":" in ip else ip), leased)

    def leave(self, ip: str) -> None:
        """The phone is off the air."""
        self._air.pop(ip, None)

    def passes(self, ip: str) -> bool:
        """Would a packet of the phone at ``ip`` be forwarded now?"""
        self.policy.end_due()
        seen = self._air.get(ip)
        if seen is None:
            return False
        online = any(s.mac == seen.mac and s.ip4 == seen.ip4 for s in self.policy.sessions.values())
        return online or (self.policy.disaster.on and seen.mac not in self.policy.blocked_phones)

    def traffic(self, ip: str, up: int, down: int) -> None:
        """The phone at ``ip`` moved this many bytes."""
        seen = self._air[ip]
        for session in [s for s in self.policy.sessions.values() if s.mac == seen.mac]:
            self.policy.count(session, up, down)

    def request(self, request: p.Request) -> p.Answer:
        """See BaseGateClient."""
        if self.down:
            raise GateUnreachable(reason="down")
        self.policy.end_due()
        if isinstance(request, p.DrainUsage):
            return self._drain(request)
        if isinstance(request, p.GetHealth):
            return p.Health(ready=True, online=len(self.policy.sessions), repairs=0)
        given = dispatch(self.policy, request, self._air.get(getattr(request, "ip", "")))
        self._usage += self.policy.take_changes().usage_events
        return given

    def _drain(self, request: p.DrainUsage) -> p.UsageBatch:
        self._usage += self.policy.take_changes().usage_events
        self._usage = [u for u in self._usage if u.number > request.acknowledged]
        return p.UsageBatch(usage=self._usage[: request.limit])
