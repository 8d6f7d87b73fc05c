from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captive_portal.portal.probes import PROBES, Probe
from captive_portal.portal.redirect import Origins
from captive_portal.settings import Ipv4Settings, Ipv6Settings, PortalSettings, SpotSettings, WifiSettings

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.captive_portal.portal.conftest import Plaza


def spot(name: str, gateway: str, network: str) -> SpotSettings:
    v6 = Ipv6Settings(mode="routed", network=network, gateway=network.replace("/64", "1"))
    return SpotSettings(name=name, interface=name, uplink="up0", ipv4=Ipv4Settings(gateway=gateway), ipv6=v6)


SITE = WifiSettings(spots=[spot("hall", "10.90.0.1", "fd00:90::/64"), spot("library", "10.91.0.1", "fd00:91::/64")])


@pytest.mark.parametrize("row", PROBES, ids=lambda p: p.host + p.path)
def test_every_probe_is_redirected_before_log_in(plaza: Plaza, row: Probe) -> None:
    host = "vendor.example.jp" if row.host == "*" else row.host
    answer = plaza.phone().get("/any" if row.path == "*" else row.path, host)
    assert answer.status_code == 302
    assert answer.headers["Location"] == f"http://10.90.0.1:8180/?d={row.kind.value}"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.status_code != row.online_status


@pytest.mark.parametrize("verb", ["GET", "HEAD", "POST", "PUT", "OPTIONS", "BREW"])
def test_every_method_and_host_is_sent_to_the_portal(plaza: Plaza, verb: str) -> None:
    from werkzeug.test import Client

    answer = Client(plaza.app).open("/news?x=1", method=verb, headers={"Host": "www.example.jp"})
    assert (answer.status_code, answer.data) == (302, b"")


@pytest.mark.parametrize(
    "host", ["10.90.0.1", "10.90.0.1:8180", "wifi.example.jp", "WIFI.example.jp", "localhost:8180"]
)
def test_our_own_names_are_served(plaza: Plaza, host: str) -> None:
    assert plaza.phone().get("/", host).status_code == 200


def test_with_tls_phones_are_sent_to_the_name(build_plaza: Callable[..., Plaza]) -> None:
    plaza = build_plaza(portal=PortalSettings(name="wifi.example.jp", tls_certificate="cert.pem"))
    answer = plaza.phone().get("/hotspot-detect.html", "captive.apple.com")
    assert answer.headers["Location"] == "https://wifi.example.jp/?d=apple"


@pytest.mark.parametrize(
    ("ip", "origin"),
    [
        ("10.90.0.7", "http://10.90.0.1:8180"),
        ("10.91.0.7", "http://10.91.0.1:8180"),
        ("fd00:91::7", "http://[fd00:91::1]:8180"),
        ("192.0.2.1", "http://10.90.0.1:8180"),
    ],
)
def test_without_tls_a_phone_is_sent_to_the_gateway_of_its_spot(ip: str, origin: str) -> None:
    assert Origins(SITE).of(ip) == origin


@given(st.text(max_size=60))
def test_any_address_has_a_portal(ip: str) -> None:
    assert Origins(SITE).of(ip).startswith("http://10.90.0.1:") or ip


def test_the_hint_of_a_probe_is_never_more_than_a_known_kind(plaza: Plaza) -> None:
    phone = plaza.phone(agent="x")
    phone.get("/?d=<script>alert(1)</script>")
    phone.press("login", "one_tap")
    assert plaza.gate.sessions()[0].device == "other"


def test_an_ipv4_phone_on_a_socket_for_both_is_known_by_its_ipv4_address(plaza: Plaza) -> None:
    phone = plaza.phone()
    phone.ip = f"::ffff:{phone.ip}"
    phone.get("/")
    assert 'data-page="online"' in phone.press("login", "one_tap").text
    assert phone.get("/x", "captive.apple.com").headers["Location"].startswith("http://10.90.0.1:")
    answer = phone.get("/captive-portal/api")
    assert answer.json is not None
    assert answer.json["captive"] is False
