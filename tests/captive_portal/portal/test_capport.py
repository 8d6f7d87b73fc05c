from __future__ import annotations

import json
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from captive_portal.portal.capport import encode, state_of
from captive_portal.settings import PortalSettings

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.captive_portal.portal.conftest import Plaza

API = "/captive-portal/api"
KEYS = {
    "captive",
    "user-portal-url",
    "venue-info-url",
    "can-extend-session",
    "seconds-remaining",
    "bytes-remaining",
}


@given(st.booleans(), st.booleans(), st.none() | st.integers(-5, 10**6), st.none() | st.integers(-5, 10**12))
def test_time_and_bytes_are_told_only_to_a_phone_online(
    online: bool, can_extend: bool, seconds: int | None, left: int | None
) -> None:
    state = state_of(origin="https://w", online=online, can_extend=can_extend, seconds=seconds, bytes_left=left)
    body = json.loads(encode(state))
    assert body["captive"] is not online
    assert ("seconds-remaining" in body) == (online and seconds is not None)
    assert ("bytes-remaining" in body) == (online and left is not None)
    assert body.keys() <= KEYS
    assert all(v >= 0 for k, v in body.items() if k.endswith("remaining"))


def test_a_phone_online_is_told_all_six_keys(build_plaza: Callable[..., Plaza]) -> None:
    plaza = build_plaza(portal=PortalSettings(name="wifi.example.jp", tls_certificate="tls/cert.pem"))
    phone = plaza.phone()
    phone.get("/", "wifi.example.jp")
    phone.press("login", "one_tap")
    answer = phone.get(API, "wifi.example.jp")
    assert answer.content_type == "application/captive+json"
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert answer.json is not None
    assert answer.json.keys() == KEYS
    assert answer.json["captive"] is False
    assert answer.json["user-portal-url"] == "https://wifi.example.jp/"
    assert answer.json["seconds-remaining"] == 3600


def test_a_waiting_phone_is_captive(plaza: Plaza) -> None:
    answer = plaza.phone().get(API)
    assert answer.json is not None
    assert answer.json["captive"] is True
    assert "seconds-remaining" not in answer.json


def test_without_the_gate_the_api_says_try_later(plaza: Plaza) -> None:
    phone = plaza.phone()
    plaza.gate.down = True
    answer = phone.get(API)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
