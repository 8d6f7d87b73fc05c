"""``hiroba run cityhall``: city hall's service."""

from __future__ import annotations

from pathlib import Path

import click

from device.clock import SystemClock
from device.logs import open_log
from device.process_lock import take_process_lock
from provisioning.commands.options import site_options
from provisioning.web.process import BehindNginx, ServerOptions, WebApp
from provisioning.web.serving import serve


@click.command("cityhall")
@site_options
@click.option("--workers", type=click.IntRange(1, 32), default=1, show_default=True, help="Processes.")
def cityhall(config: Path, state: Path, workers: int) -> None:
    """City hall: pages for staff, enrolment, and the boxes' messages, on a unix socket; `hiroba run nginx cityhall`
    stands before it. FILE needs only [cityhall].
    """
    from provisioning.box.render.nginx_mutual import CITYHALL_SOCKET
    from provisioning.cityhall.settings import FOLDER
    from provisioning.cityhall.wiring import build_cityhall, prepare
    from provisioning.commands.cityhall_file import read_cityhall

    settings, clock = read_cityhall(config), SystemClock()
    take_process_lock(state / FOLDER, "cityhall", 0o710)
    prepare(settings, state, clock)

    def served() -> WebApp:
        built = build_cityhall(settings, state, clock, open_log("cityhall"))
        return WebApp(built.app, stop=built.database.close)

    address = BehindNginx(state / CITYHALL_SOCKET)
    serve(ServerOptions("cityhall", address, workers=workers, threads=8, alive="/static/icon.svg"), served)
