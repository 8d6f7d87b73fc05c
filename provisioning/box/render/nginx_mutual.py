"""City hall's three ports, and the issuer's port for kiosks on other machines, behind nginx.

nginx terminates mutual TLS: without a credential of the CA the connection is closed; a verified one is passed on in a
header. On city hall's own machine nginx asks city hall about each request of a kiosk before the issuer hears of it.
Pure.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from kiosk.issuer.errors import TooMany
from kiosk.issuer.protocol import KIOSK_NOT_ASKED, KIOSK_REFUSED
from provisioning.box.render.nginx import NginxRuntime, Tls, asked, block, listen, proxied, tls, upstream
from provisioning.cityhall.settings import CityHallSettings
from provisioning.nginx_headers import BOX_LISTENER, ENROL_LISTENER, KIOSK_LISTENER, STAFF_LISTENER

CITYHALL_SOCKET, ISSUER_SOCKET = Path("fleet/web.sock"), Path("issuer/web.sock")
"""Below the state folder."""
STAFF_BODY, BOX_BODY, ISSUER_BODY = "16k", "512k", "16k"
ADMITTED_PATH = "/api/v1/admitted"
"""City hall answers 204 to a box that it admits (provisioning/cityhall/boxes/box_api.py)."""
KIOSK_REQUESTS_PER_SECOND, KIOSK_BURST, KIOSK_CONCURRENT = 5, 40, 8
"""Of one box, by its credential's name: a visit asks six times, and a kiosk looks every two seconds whether the issuer
is there.
"""
_MAX_CONCURRENT = 64


class _Listener(NamedTuple):
    """name: of the application; body: the largest request; limits, refusals: more lines of its location, of its server;
    asks_city_hall: whether city hall has admitted what comes through.
    """

    name: str
    listener: str
    host: str
    port: int
    own: Tls
    body: str
    limits: tuple[str, ...] = ()
    refusals: tuple[str, ...] = ()
    asks_city_hall: bool = False


def cityhall(settings: CityHallSettings, own: Tls, state: Path, runtime: NginxRuntime) -> list[str]:
    """The texts inside ``http``. own: with the CA of the boxes. Raises CannotRender."""
    no_client_ca, host = own._replace(client_ca=None), settings.host
    listeners = (
        _Listener("cityhall", STAFF_LISTENER, host, settings.staff_port, no_client_ca, STAFF_BODY),
        _Listener("cityhall", ENROL_LISTENER, host, settings.enrol_port, no_client_ca, BOX_BODY),
        _Listener("cityhall", BOX_LISTENER, host, settings.box_port, own, BOX_BODY),
    )
    return [*_application("cityhall", state / CITYHALL_SOCKET), *(_server(listener, runtime) for listener in listeners)]


def issuer(
    address: tuple[str, int], own: Tls, state: Path, runtime: NginxRuntime, *, asks_city_hall: bool
) -> list[str]:
    """The texts inside ``http``. address: host, port; own: with the CA of the kiosks; asks_city_hall: about each
    request, the ``cityhall`` of the same file. Raises CannotRender.
    """
    zones = [
        f"limit_req_zone $ssl_client_s_dn zone=issuer_boxes:2m rate={KIOSK_REQUESTS_PER_SECOND}r/s;",
        "limit_conn_zone $ssl_client_s_dn zone=issuer_box_connections:2m;",
    ]
    limits = [
        # A document waits here for a kiosk that reads slowly, and not in a thread of the issuer; never on the disk.
        "proxy_buffers 64 64k;",
        "proxy_busy_buffers_size 128k;",
        f"limit_req zone=issuer_boxes burst={KIOSK_BURST} nodelay;",
        "limit_req_status 429;",
        f"limit_conn issuer_box_connections {KIOSK_CONCURRENT};",
    ]
    refusals = [
        *_refusal(429, "@too_many", 429, TooMany.code),
        *_refusal(413, "@too_large", 413, "request.too_large"),
    ]
    if asks_city_hall:
        limits.append("auth_request /-/admitted;")
        question = asked("cityhall", ADMITTED_PATH, listener=BOX_LISTENER)
        refusals += [
            block("location = /-/admitted", question),
            *_refusal(403, "@not_admitted", 403, KIOSK_REFUSED),
            *_refusal(500, "@not_asked", 503, KIOSK_NOT_ASKED),
        ]
    listener = _Listener(
        "issuer",
        KIOSK_LISTENER,
        *address,
        own,
        ISSUER_BODY,
        tuple(limits),
        tuple(refusals),
        asks_city_hall=asks_city_hall,
    )
    return [*zones, *_application("issuer", state / ISSUER_SOCKET), _server(listener, runtime)]


def _refusal(status: int, name: str, told: int, code: str) -> list[str]:
    """A refusal of nginx's own as the protocol says one; the application's own answers are not replaced."""
    inside = ["default_type application/json;", f'return {told} \'{{"code":"{code}"}}\';']
    return [f"error_page {status} = {name};", block(f"location {name}", inside)]


def _application(name: str, socket: Path) -> list[str]:
    return [f"limit_conn_zone $binary_remote_addr zone={name}_connections:2m;", upstream(name, socket)]


def _server(listener: _Listener, runtime: NginxRuntime) -> str:
    mutual = listener.own.client_ca is not None
    refusal = ["error_page 495 496 497 = @refused;", block("location @refused", ["return 444;"])] if mutual else []
    inside = [
        f"limit_conn {listener.name}_connections {_MAX_CONCURRENT};",
        "limit_conn_status 429;",
        *listener.limits,
        *proxied(listener.name, listener=listener.listener, credential=mutual, admitted=listener.asks_city_hall),
    ]
    return block(
        "server",
        [
            *listen(listener.host, listener.port, runtime, "ssl"),
            *tls(listener.own, f"{listener.name}_{listener.listener}_tls"),
            f"client_max_body_size {listener.body};",
            *refusal,
            *listener.refusals,
            block("location /", inside),
        ],
    )
