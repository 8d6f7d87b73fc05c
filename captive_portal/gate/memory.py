"""The gate in memory for tests, training and the demo: the real SessionPolicy without a kernel."""

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
    """GateClient whose phones are added by ``arrive("10.90.0.5", "02:00:00:00:00:05")``. ``passes`` is the decision
    that the kernel would make. ``down = True`` makes every request fail as if the gate did not run.
    """

    def __init__(self, settings: WifiSettings, clock: Clock) -> None:
        self.policy = SessionPolicy(settings, clock, DailyPseudonyms(clock), ResumeTokens(b"memory gate, not secret"))
        self.down = False
        self._settings = settings
        self._air: dict[str, ObservedPhone] = {}
        self._usage: list[p.UsageEvent] = []

    def arrive(self, ip: str, mac: str, *, leased: bool = True, ip4: str = "") -> None:
        """Connect a phone with this address and MAC. ip4: its IPv4 address when ``ip`` is IPv6."""
        spot = spot_of(self._settings, ip)
        if spot is None:
            raise ValueError("address of no spot")
        self._air[ip] = ObservedPhone(spot.name, mac, ip4 or ("" if ":" in ip else ip), leased)

    def leave(self, ip: str) -> None:
        """Disconnect the phone."""
        self._air.pop(ip, None)

    def passes(self, ip: str) -> bool:
        """Whether a packet of the phone at ``ip`` would be forwarded now."""
        self.policy.end_due()
        observed = self._air.get(ip)
        if observed is None:
            return False
        online = any(s.mac == observed.mac and s.ip4 == observed.ip4 for s in self.policy.sessions.values())
        return online or (self.policy.disaster.on and observed.mac not in self.policy.blocked_phones)

    def traffic(self, ip: str, up: int, down: int) -> None:
        """Count bytes of the phone at ``ip``."""
        observed = self._air[ip]
        for session in [s for s in self.policy.sessions.values() if s.mac == observed.mac]:
            self.policy.add_bytes(session, up, down)

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
