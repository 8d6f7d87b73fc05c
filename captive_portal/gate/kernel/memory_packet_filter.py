"""The packet filter in memory, which keeps the same contract as the kernel's, for tests and the demo."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from captive_portal.gate.errors import KernelRefused
from captive_portal.gate.kernel.reconcile import MAPS, Element, ElementName, ElementReading, Plan
from captive_portal.gate.policy.disaster_usage import OpenWifiReading
from device.clock import Clock


class MemoryPacketFilter:
    """See PacketFilter. Time-outs run on ``clock``; ``refuse = True`` makes every call fail."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._elements: dict[ElementName, tuple[Element, float]] = {}
        self._bytes: dict[ElementName, int] = {}
        self._table = ""
        self._installed = 0
        self.refuse = False
        self.forgotten: list[int] = []
        self.open_wifi = OpenWifiReading()
        self.dropped: dict[str, int] = {}
        self.changed_at_once = ""
        """What another program adds to the table right after each installation."""

    def install(self, table: str, elements: Iterable[tuple[ElementName, Element]]) -> None:
        """See PacketFilter."""
        self._fail_if_refusing()
        self._table, self._installed = table + self.changed_at_once, self._installed + 1
        self._elements.clear()
        self._bytes.clear()
        self._add(elements)

    def apply(self, todo: Plan) -> None:
        """See PacketFilter."""
        self._fail_if_refusing()
        if not self._table:
            raise KernelRefused(what="nft", reason="No such file or directory")
        if any(name.set in MAPS and not element.mark for name, element in todo.add):
            raise KernelRefused(what="nft", reason="Invalid argument")
        for name, _ in todo.remove:
            self._elements.pop(name, None)
            self._bytes.pop(name, None)
        self._add(todo.add)

    def structure(self) -> str:
        """See PacketFilter."""
        return f"{self._table} # handle {self._installed}" if self._table else ""

    def readings(self, kind: str) -> Iterator[tuple[ElementName, ElementReading]]:
        """See PacketFilter."""
        self._fail_if_refusing()
        self._expire()
        if not self._table:
            raise KernelRefused(what=kind, reason="No such file or directory")
        now = self._clock.monotonic()
        for name, (e, ends) in list(self._elements.items()):
            if name.set == kind:
                shown = e if e.seconds is None else e._replace(seconds=ends - now)
                yield name, ElementReading(shown, self._bytes.get(name, 0))

    def read_counter(self, name: ElementName) -> int | None:
        """See PacketFilter."""
        self._expire()
        return self._bytes.get(name, 0) if name in self._elements else None

    def read_disaster_usage(self) -> OpenWifiReading:
        """See PacketFilter."""
        self._fail_if_refusing()
        return self.open_wifi

    def read_dropped(self) -> Mapping[str, int]:
        """See PacketFilter."""
        self._fail_if_refusing()
        return dict(self.dropped)

    def delete_connections(self, mark: int) -> None:
        """See PacketFilter."""
        self.forgotten.append(mark)

    def traffic(self, name: ElementName, size: int) -> None:
        """Count ``size`` bytes at this element."""
        self._bytes[name] = self._bytes.get(name, 0) + size

    def flush(self) -> None:
        """What ``nft flush ruleset`` does."""
        self._table = ""
        self._elements.clear()
        self._bytes.clear()

    def _fail_if_refusing(self) -> None:
        if self.refuse:
            raise KernelRefused(what="nft", reason="refuse is set")

    def _expire(self) -> None:
        now = self._clock.monotonic()
        for name in [n for n, (e, ends) in self._elements.items() if e.seconds is not None and ends <= now]:
            del self._elements[name]
            self._bytes.pop(name, None)

    def _add(self, elements: Iterable[tuple[ElementName, Element]]) -> None:
        now = self._clock.monotonic()
        for name, element in elements:
            self._elements[name] = (element, now + (element.seconds or 0.0))
