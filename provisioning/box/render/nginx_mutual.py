"""What other machines of the city reach, behind nginx: city hall's three ports, and an issuer that is not a lone box's.

Mutual TLS ends here: who shows no credential of the CA is not answered at all, and a verified one is handed over. Pure.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from provisioning.box.render.nginx import Place, Tls, block, listen, proxied, tls, upstream
from provisioning.cityhall.settings import CityHallSettings
from provisioning.nginx_headers import BOX_DOOR, ENROL_DOOR, STAFF_DOOR

CITYHALL_SOCKET, ISSUER_SOCKET = Path("fleet/web.sock"), Path("issuer/web.sock")
"""Below the state folder."""
STAFF_BODY, BOX_BODY, ISSUER_BODY = "16k", "512k", "256k"
_AT_ONCE = 64


class _Door(NamedTuple):
    """name: of the application; body: the largest request."""

    name: str
    door: str
    host: str
    port: int
    own: Tls
    body: str


def cityhall(settings: CityHallSettings, own: Tls, state: Path, place: Place) -> list[str]:
    """The texts inside ``http``. own: with the CA of the boxes. Raises CannotRender."""
    for_all, host = own._replace(client_ca=None), settings.host
    doors = (
        _Door("cityhall", STAFF_DOOR, host, settings.staff_port, for_all, STAFF_BODY),
        _Door("cityhall", ENROL_DOOR, host, settings.enrol_port, for_all, BOX_BODY),
        _Door("cityhall", BOX_DOOR, host, settings.box_port, own, BOX_BODY),
    )
    return [*_application("cityhall", state / CITYHALL_SOCKET), *(_server(door, place) for door in doors)]


def issuer(host: str, port: int, own: Tls, state: Path, place: Place) -> list[str]:
    """The texts inside ``http``. own: with the CA of the kiosks. Raises CannotRender."""
    door = _Door("issuer", "kiosks", host, port, own, ISSUER_BODY)
    return [*_application("issuer", state / ISSUER_SOCKET), _server(door, place)]


def _application(name: str, socket: Path) -> list[str]:
    return [f"limit_conn_zone $binary_remote_addr zone={name}_connections:2m;", upstream(name, socket)]


def _server(door: _Door, place: Place) -> str:
    mutual = door.own.client_ca is not None
    refusal = ["error_page 495 496 497 = @refused;", block("location @refused", ["return 444;"])] if mutual else []
    inside = [
        f"limit_conn {door.name}_connections {_AT_ONCE};",
        "limit_conn_status 429;",
        *proxied(door.name, door=door.door, credential=mutual),
    ]
    return block(
        "server",
        [
            *listen(door.host, door.port, place, "ssl"),
            *tls(door.own, f"{door.name}_{door.door}_tls"),
            f"client_max_body_size {door.body};",
            *refusal,
            block("location /", inside),
        ],
    )
