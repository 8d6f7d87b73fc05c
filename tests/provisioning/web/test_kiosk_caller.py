"""Who asks the issuer: by socket or credential, held against what is said about the box."""

from __future__ import annotations

import ssl
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from device.clock import JST, HeldClock
from kiosk.issuer.api import Refused
from provisioning.cityhall.boxes.authority import make_authority
from provisioning.nginx_headers import ADMITTED, CREDENTIAL, KIOSK_LISTENER, LISTENER, environ_name
from provisioning.web.arrival import with_arrival
from provisioning.web.kiosk_caller import who_asks

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=JST)


class Socket:
    """As gunicorn hands it on."""

    def __init__(self, name: str) -> None:
        self._name = name

    def getsockname(self) -> str:
        return self._name


@pytest.fixture
def clock() -> HeldClock:
    return HeldClock(NOON)


def behind_nginx(box: str, **more: str) -> dict[str, Any]:
    """What nginx says of a request by a box's credential of thirty days."""
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    der = make_authority("TEST", ["localhost"], NOON).issue_box(box, key, NOON, 30).public_bytes(Encoding.DER)
    said = {CREDENTIAL: quote(ssl.DER_cert_to_PEM_cert(der)), LISTENER: KIOSK_LISTENER, ADMITTED: "1", **more}
    return {environ_name(name): value for name, value in said.items()}


def test_a_box_that_city_hall_admits_is_called_by_its_credential(clock: HeldClock) -> None:
    assert who_asks("here", clock, None)(behind_nginx("plaza-1")) == "plaza-1"


@pytest.mark.parametrize(
    "more", [{ADMITTED: ""}, {ADMITTED: "0"}, {LISTENER: "boxes"}, {CREDENTIAL: ""}, {CREDENTIAL: "x"}]
)
def test_without_nginx_s_word_nobody_is_served(clock: HeldClock, more: dict[str, str]) -> None:
    assert isinstance(who_asks("here", clock, None)(behind_nginx("plaza-1", **more)), Refused)


@pytest.mark.parametrize("name", ["plaza 1", "plaza/1", "-", "a" * 64, "plaza-1\n"])
def test_a_name_that_no_box_has_is_refused(clock: HeldClock, name: str) -> None:
    assert who_asks("here", clock, None)(behind_nginx(name)) == Refused("box_unknown")


def test_a_credential_that_ends_during_a_connection_is_refused(clock: HeldClock) -> None:
    asked = behind_nginx("plaza-1")
    clock.advance(timedelta(days=30).total_seconds())
    assert who_asks("here", clock, None)(asked) == Refused("credential_expired")


def test_a_list_decides_where_city_hall_is_elsewhere(clock: HeldClock) -> None:
    assert who_asks("here", clock, lambda _peer: None)(behind_nginx("plaza-1", **{ADMITTED: ""})) == "plaza-1"
    assert who_asks("here", clock, lambda _peer: "key_differs")(behind_nginx("plaza-1")) == Refused("key_differs")


def test_only_the_socket_makes_a_request_local(clock: HeldClock) -> None:
    told: list[object] = []
    asking = who_asks("here", clock, None)
    app = with_arrival(lambda environ, _start: told.append(asking(environ)), Path("/s/local.sock"))
    for name in ("/s/local.sock", "/s/web.sock"):
        app({"gunicorn.socket": Socket(name), "HTTP_HIROBA_LOCAL_SOCKET": "True", "hiroba.local_socket": True}, None)
    assert told == ["here", Refused("box_unknown")]
