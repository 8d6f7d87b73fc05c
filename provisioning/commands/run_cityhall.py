"""``hiroba run cityhall``: city hall's service."""

from __future__ import annotations

from pathlib import Path

import click

from device.clock import SystemClock
from device.logs import open_log
from device.process_lock import take_process_lock
from provisioning.commands.options import site_options
from provisioning.serve import Listen, Served, serve


@click.command("cityhall")
@site_options
@click.option("--workers", type=click.IntRange(1, 32), default=1, show_default=True, help="Processes.")
def cityhall(config: Path, state: Path, workers: int) -> None:
    """City hall: pages for staff, enrolment, and the boxes' messages by mutual TLS. FILE needs only [cityhall]."""
    from provisioning.cityhall.settings import FOLDER
    from provisioning.cityhall.wiring import build_cityhall, prepare
    from provisioning.commands.cityhall import read_cityhall

    settings, clock = read_cityhall(config), SystemClock()
    take_process_lock(state / FOLDER, "cityhall")
    prepared = prepare(settings, state, clock)

    def served() -> Served:
        built = build_cityhall(settings, state, clock, open_log("cityhall"))
        return Served(built.app, stop=built.database.close)

    listen = Listen(
        settings.host,
        settings.staff_port,
        "cityhall",
        workers=workers,
        threads=8,
        tls=prepared.tls,
        doors=prepared.doors,
        alive="/login",
    )
    serve(listen, served)
