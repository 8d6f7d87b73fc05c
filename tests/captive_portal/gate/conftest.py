"""A whole gate over a kernel and address bindings in memory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from captive_portal.gate.database import Database
from captive_portal.gate.disaster_file import DisasterFile
from captive_portal.gate.enforcer import Enforcer
from captive_portal.gate.kernel.memory_packet_filter import MemoryPacketFilter
from captive_portal.gate.policy.session import ObservedPhone
from captive_portal.settings import WifiSettings
from device.audit import Audit
from device.clock import HeldClock
from device.logs import open_log
from tests.captive_portal.gate.sites import MORNING, a_site


class MemoryBindings(dict[str, ObservedPhone]):
    """Address bindings filled by the test."""

    def find(self, ip: str, port: int = 0) -> ObservedPhone | None:  # noqa: ARG002 - there are no connections
        """See AddressBindings."""
        return self.get(ip)

    def start(self) -> None:
        """See AddressBindings."""

    def elements(self) -> tuple[()]:
        """None."""
        return ()

    def restore(self) -> None:
        """See AddressBindings."""

    def follow(self) -> None:
        """See AddressBindings."""

    def reconcile(self) -> int:
        """See AddressBindings."""
        return 0

    def next_due_at(self) -> float:
        """See AddressBindings."""
        return float("inf")


class Box:
    """A box whose gate can be stopped, killed and rebooted."""

    def __init__(self, state: Path, settings: WifiSettings | None = None) -> None:
        self.state = state
        self.settings = settings or a_site()
        self.clock = HeldClock(MORNING)
        self.kernel = MemoryPacketFilter(self.clock)
        self.bindings = MemoryBindings()
        self.boot = "first"
        self.gate = self.start()

    def start(self) -> Enforcer:
        """Start the gate, as after any kind of end."""
        database = Database(self.state / "sessions.db", self.settings.log)
        self.audit = Audit(database.store, self.clock)
        self.gate = Enforcer(
            self.settings,
            database=database,
            kernel=self.kernel,
            bindings=self.bindings,
            clock=self.clock,
            boot=self.boot,
            audit=self.audit,
            log=open_log("gate"),
            on_disaster_change=DisasterFile(self.state / "disaster").update,
        )
        self.gate.start()
        return self.gate

    def reboot(self, seconds: float) -> None:
        """The power goes and comes back: the kernel forgets all, the monotonic clock begins anew."""
        self.clock = HeldClock(self.clock.now())
        self.clock.step(seconds)
        self.kernel = MemoryPacketFilter(self.clock)
        self.boot += "+"


@pytest.fixture
def make_box(tmp_path: Path) -> Callable[..., Box]:
    """Makes a Box, with settings if wished."""
    return lambda settings=None: Box(tmp_path, settings)
