"""``hiroba run``: the processes that the units start. May import: every floor below, provisioning."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import click

from device.clock import SystemClock
from device.logs import open_log
from provisioning.commands.options import site_options
from provisioning.errors import SectionMissing
from provisioning.serve import Listen, Served, serve
from provisioning.site import read_site

T = TypeVar("T")


@click.group("run")
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

    def served() -> Served:
        built = build(
            kiosk=site.kiosk,
            city=site.city,
            link=site.issuer_link,
            card=site.card,
            receipt=site.receipt_printer,
            page=site.page_printer,
            box_name=site.box.name,
            state=state,
            clock=SystemClock(),
            log=open_log("kiosk"),
        )
        return Served(built.app, built.start, built.stop)

    # One worker: there is one visitor, one card and one printer, and their state lives in one process.
    serve(Listen(site.kiosk.host, site.kiosk.port, "kiosk", workers=1, threads=8), served)


@command.command()
@site_options
@click.option("--workers", type=click.IntRange(1, 32), default=1, show_default=True, help="Issuer processes.")
def issuer(config: Path, state: Path, workers: int) -> None:
    """The municipal side: register, certificates, seals."""
    from kiosk.issuer.wiring import build_issuer

    site = read_site(config)
    settings = _section(site.issuer, "issuer", "hiroba run issuer", config)

    def served() -> Served:
        return Served(build_issuer(settings, site.city, state, SystemClock(), open_log("issuer")))

    serve(Listen(settings.host, settings.port, "issuer", workers=workers, threads=4), served)
