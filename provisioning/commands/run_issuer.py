"""``hiroba run issuer``: the city's side of certificates."""

from __future__ import annotations

from pathlib import Path

import click

from device.clock import SystemClock
from device.logs import open_log
from device.process_lock import take_process_lock
from kiosk.issuer.settings import IssuerSettings
from provisioning.commands.options import site_options
from provisioning.commands.register_place import refuse_undeclared
from provisioning.errors import SectionMissing
from provisioning.site.issuer_place import asks_for_list
from provisioning.site.model import Site
from provisioning.site.reading import read_site
from provisioning.web.process import BehindNginx, LocalSocket, ServerOptions, WebApp
from provisioning.web.serving import serve


@click.command("issuer")
@site_options
@click.option("--workers", type=click.IntRange(1, 32), default=1, show_default=True, help="Issuer processes.")
def issuer(config: Path, state: Path, workers: int) -> None:
    """The municipal side: register, eligibility, certificates. On unix sockets alone: one for the kiosk of this box,
    and one behind `hiroba run nginx` for kiosks elsewhere.
    """
    from kiosk.issuer.connection import LOCAL_SOCKET
    from provisioning.box.render.nginx_mutual import ISSUER_SOCKET

    site = read_site(config)
    settings = site.issuer
    if settings is None:
        raise SectionMissing(file=config, section="issuer", process="hiroba run issuer")
    refuse_undeclared(config, state / settings.register)
    take_process_lock((state / settings.register).parent, "issuer")
    local = LocalSocket((state / LOCAL_SOCKET).absolute())
    behind = BehindNginx((state / ISSUER_SOCKET).absolute()) if settings.serves_others else None
    options = ServerOptions("issuer", behind or local, local if behind else None, workers=workers, threads=4)
    serve(options, lambda: _served(config, site, settings, state))


def _served(config: Path, site: Site, settings: IssuerSettings, state: Path) -> WebApp:
    """One worker."""
    from kiosk.issuer.wiring import build_issuer
    from provisioning.enrolment.admitted_boxes import AdmittedBoxes
    from provisioning.enrolment.wiring import open_enrolment
    from provisioning.web.kiosk_caller import who_asks

    clock, log, name = SystemClock(), open_log("issuer"), site.box.name
    if not asks_for_list(site):
        return WebApp(
            build_issuer(settings, site.city, state, clock=clock, log=log, who_asks=who_asks(name, clock, None))
        )
    if site.cityhall_link is None:  # `hiroba site check` tells it; nobody elsewhere is then served
        raise SectionMissing(file=config, section="cityhall_link", process="hiroba run issuer")
    city_hall = open_enrolment(site.cityhall_link, name, state, clock).city_hall
    boxes = AdmittedBoxes(city_hall.admitted, clock, log, settings.revocation_minutes * 60)
    asking = who_asks(name, clock, boxes.refuses)
    app = build_issuer(settings, site.city, state, clock=clock, log=log, who_asks=asking)
    return WebApp(app, boxes.start, boxes.stop)
