"""City hall's three ports, and an issuer for kiosks on other machines, behind nginx.

nginx terminates mutual TLS: without a credential of the CA the connection is closed; a verified one is passed on in a
header. Pure.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from provisioning.box.render.nginx import NginxRuntime, Tls, block, listen, proxied, tls, upstream
from provisioning.cityhall.settings import CityHallSettings
from provisioning.nginx_headers import BOX_LISTENER, ENROL_LISTENER, STAFF_LISTENER

CITYHALL_SOCKET, ISSUER_SOCKET = Path("fleet/web.sock"), Path("issuer/web.sock")
"""Below the state folder."""
STAFF_BODY, BOX_BODY, ISSUER_BODY = "16k", "512k", "256k"
_MAX_CONCURRENT = 64


class _Listener(NamedTuple):
    """name: of the application; body: the largest request."""

    name: str
    listener: str
    host: str
    port: int
    own: Tls
    body: str


def cityhall(settings: CityHallSettings, own: Tls, state: Path, runtime: NginxRuntime) -> list[str]:
    """The texts inside ``http``. own: with the CA of the boxes. Raises CannotRender."""
    no_client_ca, host = own._replace(client_ca=None), settings.host
    listeners = (
        _Listener("cityhall", STAFF_LISTENER, host, settings.staff_port, no_client_ca, STAFF_BODY),
        _Listener("cityhall", ENROL_LISTENER, host, settings.enrol_port, no_client_ca, BOX_BODY),
        _Listener("cityhall", BOX_LISTENER, host, settings.box_port, own, BOX_BODY),
    )
    return [*_application("cityhall", state / CITYHALL_SOCKET), *(_server(listener, runtime) for listener in listeners)]


def issuer(host: str, port: int, own: Tls, state: Path, runtime: NginxRuntime) -> list[str]:
    """The texts inside ``http``. own: with the CA of the kiosks. Raises CannotRender."""
    listener = _Listener("issuer", "kiosks", host, port, own, ISSUER_BODY)
    return [*_application("issuer", state / ISSUER_SOCKET), _server(listener, runtime)]


def _application(name: str, socket: Path) -> list[str]:
    return [f"limit_conn_zone $binary_remote_addr zone={name}_connections:2m;", upstream(name, socket)]


def _server(listener: _Listener, runtime: NginxRuntime) -> str:
    mutual = listener.own.client_ca is not None
    refusal = ["error_page 495 496 497 = @refused;", block("location @refused", ["return 444;"])] if mutual else []
    inside = [
        f"limit_conn {listener.name}_connections {_MAX_CONCURRENT};",
        "limit_conn_status 429;",
        *proxied(listener.name, listener=listener.listener, credential=mutual),
    ]
    return block(
        "server",
        [
            *listen(listener.host, listener.port, runtime, "ssl"),
            *tls(listener.own, f"{listener.name}_{listener.listener}_tls"),
            f"client_max_body_size {listener.body};",
            *refusal,
            block("location /", inside),
        ],
    )
