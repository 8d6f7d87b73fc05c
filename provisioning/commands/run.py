"""``hiroba run``: the processes that the units start."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import click

from device.clock import SystemClock
from device.errors import HirobaError
from device.logs import open_log
from device.process_lock import take_process_lock
from device.watchdog import Heartbeat, Notifier
from provisioning.commands.options import site_options
from provisioning.commands.renamed import RenamingGroup
from provisioning.commands.run_cityhall import cityhall
from provisioning.commands.run_issuer import issuer
from provisioning.commands.run_nginx import nginx
from provisioning.errors import SectionMissing
from provisioning.site.issuer_place import credential_files
from provisioning.site.place import place_of
from provisioning.site.reading import read_site
from provisioning.web.active_worker import ActiveWorker
from provisioning.web.local_users import users_named
from provisioning.web.process import BehindNginx, ServerOptions, Tcp, WebApp
from provisioning.web.serving import serve

T = TypeVar("T")
SCREEN_USERS = ("hiroba-browser",)
"""Who may see the kiosk's pages beside root (heartbeat, doctor, update) and the kiosk itself (systemd/sysusers.d)."""


@click.group("run", cls=RenamingGroup, renamed={"fleet": "cityhall"})
def command() -> None:
    """Run one process until it is told to stop."""


def _section(value: T | None, name: str, process: str, config: Path) -> T:
    if value is None:
        raise SectionMissing(file=config, section=name, process=process)
    return value


@command.command()
@site_options
def kiosk(config: Path, state: Path) -> None:
    """The resident's touch screen, on loopback."""
    from kiosk.wiring import build

    site = read_site(config)

    def served() -> WebApp:
        built = build(
            kiosk=site.kiosk,
            city=site.city,
            link=site.issuer_link,
            credential=credential_files(site, state),
            card=site.card,
            receipt=site.receipt_printer,
            page=site.page_printer,
            box_name=site.box.name,
            place=place_of(site),
            state=state,
            clock=SystemClock(),
            log=open_log("kiosk"),
            hand_over=active.hand_over,
        )
        return WebApp(built.app, lambda: built.start(active.left), built.stop, built.warm)

    take_process_lock(state / "kiosk", "kiosk")
    # One serves: there is one visitor, one card and one printer, and their state lives in one process. The other one
    # waits to replace it after a visit with personal data (kiosk/shell/replacement.py).
    active = ActiveWorker(site.kiosk.port, site.kiosk.host)
    address, users = Tcp(site.kiosk.host, site.kiosk.port), users_named(SCREEN_USERS)
    options = ServerOptions("kiosk", address, workers=2, threads=8, alive="/state", users=users, active=active)
    serve(options, served)


@command.command()
@site_options
def stats(config: Path, state: Path) -> None:
    """Collect the Wi-Fi's usage, and the staff page that shows it, on loopback."""
    from captive_portal.wiring_stats import build_stats

    wifi = _section(read_site(config).wifi, "wifi", "hiroba run stats", config)

    def served() -> WebApp:
        built = build_stats(wifi, state, SystemClock(), open_log("stats"))
        return WebApp(built.app, built.start, built.stop)

    take_process_lock((state / wifi.stats.database).parent, "stats")
    # One worker: the collector is the only writer of its database.
    serve(ServerOptions("stats", Tcp(wifi.stats.host, wifi.stats.port), workers=1, threads=4), served)


@command.command()
@site_options
@click.option("--workers", type=click.IntRange(1, 8), default=1, show_default=True, help="Portal processes.")
def portal(config: Path, state: Path, workers: int) -> None:
    """The pages that phones open, on a unix socket; `hiroba run nginx` stands before it."""
    from captive_portal.wiring_portal import build_portal
    from provisioning.box.render import nginx_portal

    wifi = _section(read_site(config).wifi, "wifi", "hiroba run portal", config)

    def served() -> WebApp:
        built = build_portal(wifi, state, SystemClock(), open_log("portal"))
        return WebApp(built.app, built.start, built.stop)

    take_process_lock(state / "portal", "portal", 0o710)
    address = BehindNginx(state / nginx_portal.SOCKET)
    serve(ServerOptions("portal", address, workers=workers, threads=4, alive="/static/icon.svg"), served)


@command.command()
@site_options
def gate(config: Path, state: Path) -> None:
    """The gate: the only process with CAP_NET_ADMIN."""
    from captive_portal.gate.client import SocketGateClient
    from captive_portal.wiring_gate import run as run_gate

    site = read_site(config)
    wifi = _section(site.wifi, "wifi", "hiroba run gate", config)
    client = SocketGateClient(state / wifi.gate.socket)

    def answers() -> bool:
        try:
            client.health()
        except HirobaError:
            return False
        return True

    take_process_lock((state / wifi.gate.database).parent, "gate", mode=0o711)  # others walk to the socket in it
    heartbeat = Heartbeat(Notifier.take(), answers)
    heartbeat.start()
    try:
        run_gate(wifi, state, SystemClock(), open_log("gate"), site.box.name)
    finally:
        heartbeat.stop()


command.add_command(cityhall)
command.add_command(issuer)
command.add_command(nginx)
