"""Composition root of ``hiroba run stats``: the collector, and the staff page it fills."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from flask import Flask

from captive_portal.gate.client import GateClient, SocketGateClient
from captive_portal.settings import WifiSettings
from captive_portal.stats.collector import StatsCollector
from captive_portal.stats.database import open_stats_database
from captive_portal.stats.page import create_stats_app
from device.clock import Clock
from device.logs import Log
from device.store import Store


@dataclass(frozen=True)
class BuiltStats:
    """app: the staff page; ``start`` and ``stop`` are the collector's, in the process that serves the page."""

    app: Flask
    start: Callable[[], None]
    stop: Callable[[], None]
    collector: StatsCollector
    store: Store


def build_stats(
    settings: WifiSettings, state: Path, clock: Clock, log: Log, gate: GateClient | None = None
) -> BuiltStats:
    """Collector and staff page. One process only, since the collector writes the database. gate: in place of the one
    at the settings' socket. Raises StoreError.
    """
    wanted = settings.stats
    store = open_stats_database(state / wanted.database)
    collector = StatsCollector(
        gate or SocketGateClient(state / settings.gate.socket),
        store,
        clock,
        log,
        seconds=wanted.collect_seconds,
        keep_days=wanted.keep_days,
    )

    def stop() -> None:
        collector.stop()
        store.close()

    return BuiltStats(create_stats_app(settings, store, clock, log), collector.start, stop, collector, store)
