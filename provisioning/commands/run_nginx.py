"""``hiroba run nginx``: what stands before the processes that others reach."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from provisioning.commands.options import CONFIG, state_option

if TYPE_CHECKING:
    from provisioning.box.render.nginx import NginxRuntime
    from provisioning.web.nginx_process import NginxConfiguration


@click.command("nginx")
@click.argument("role", type=click.Choice(["box", "cityhall"]), default="box")
@click.option("--config", type=click.Path(path_type=Path), help="Site file.  [default: of the role, in /etc/hiroba]")
@state_option
def nginx(config: Path | None, state: Path, role: str) -> None:
    """nginx by the settings in FILE: before the portal and an issuer for other kiosks (box), or before city hall's
    service and the issuer beside it (cityhall; FILE needs only [cityhall]). A credential that changes is read again
    without a restart.
    """
    from provisioning.web.nginx_process import exec_nginx

    usual, configure = {"box": (CONFIG, _box), "cityhall": (CONFIG.with_name("cityhall.toml"), _cityhall)}[role]
    file = config or usual
    exec_nginx(state / "nginx" / role, lambda runtime: configure(file, state, runtime))


def _box(config: Path, state: Path, runtime: NginxRuntime) -> NginxConfiguration:
    from provisioning.site.reading import read_site
    from provisioning.web.nginx_roles import box

    return box(read_site(config), state, runtime)


def _cityhall(config: Path, state: Path, runtime: NginxRuntime) -> NginxConfiguration:
    from provisioning.box.render.nginx import Tls
    from provisioning.cityhall.wiring import credential_files
    from provisioning.commands.cityhall_file import read_cityhall, read_issuer
    from provisioning.web.nginx_roles import cityhall

    settings = read_cityhall(config)
    return cityhall(settings, Tls(*credential_files(settings, state)), state, runtime, read_issuer(config))
