"""The API's description is true: requests generated from it get answers that fit it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from importlib import resources
from typing import TYPE_CHECKING

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from captive_portal.portal.app import Environ, StartResponse

if TYPE_CHECKING:
    from tests.captive_portal.portal.conftest import Plaza

DESCRIPTION = json.loads((resources.files("captive_portal.portal") / "openapi.json").read_text("utf-8"))


def seen_from(plaza: Plaza, ip: str) -> Callable[[Environ, StartResponse], Iterable[bytes]]:
    """The portal as the phone at ``ip`` reaches it."""
    return lambda environ, start: plaza.app({**environ, "REMOTE_ADDR": ip, "HTTP_HOST": "10.90.0.1:8180"}, start)


@pytest.mark.parametrize("state", ["waiting", "online"])
def test_every_answer_of_the_api_fits_its_description(plaza: Plaza, state: str) -> None:
    phone = plaza.phone()
    phone.get("/")
    if state == "online":
        phone.press("login", "one_tap")
    schema = schemathesis.openapi.from_wsgi("/openapi.json", _with_description(seen_from(plaza, phone.ip)))
    answers: list[int] = []

    @settings(max_examples=50, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def each(data: st.DataObject) -> None:
        case = data.draw(schema["/captive-portal/api"]["GET"].as_strategy())
        answers.append(case.call_and_validate().status_code)

    each()
    assert set(answers) == {200}


def _with_description(app: Callable[[Environ, StartResponse], Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
    def serve(environ: Environ, start: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] != "/openapi.json":
            return app(environ, start)
        start("200 OK", [("Content-Type", "application/json")])
        return [json.dumps(DESCRIPTION).encode()]

    return serve
