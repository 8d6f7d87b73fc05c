"""The short way and the long way are one: the same requests, the same answers."""

from __future__ import annotations

import http.client
import io
import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import Client

from captive_portal.gate.protocol import SetDisaster
from captive_portal.portal.redirect import ProbeRedirect
from captive_portal.settings import LimitSettings
from tests.captive_portal.portal.conftest import HOST
from tests.captive_portal.portal.test_plain_request import PAGE, PIECES

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.captive_portal.portal.conftest import Plaza

Facts = tuple[int, dict[str, str], str]
AGENT = "Mozilla/5.0 (Linux; Android 14)"
RANDOM = re.compile(r"[0-9a-f]{16}\.[0-9]+\.[0-9A-Za-z_-]{20}|Expires=[^;]+")  # of a session, and the wall clock's
OF_THE_SERVER = {"Date", "Connection", "Content-Length"}


class Sent(io.BytesIO):
    """A socket of which an answer is read."""

    def makefile(self, *_: object) -> Sent:
        return self


def raw_request(method: str, path: str, form: str, accept: str) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", f"Host: {HOST}", f"User-Agent: {AGENT}", f"Accept-Language: {accept}"]
    if method == "POST":
        lines += ["Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(form)}"]
    return "\r\n".join([*lines, "", form]).encode("ascii")


def short(plaza: Plaza, method: str, path: str, form: str = "", accept: str = "") -> Facts | None:
    """Status, headers and body by the short way; None when it will not."""
    assert isinstance(plaza.app, ProbeRedirect)
    assert plaza.app.quick is not None
    answered = plaza.app.quick(raw_request(method, path, form, accept), "::ffff:10.90.0.5", False)
    if answered is None:
        return None
    answer = http.client.HTTPResponse(Sent(answered[0]))  # type: ignore[arg-type]  # only makefile is asked of it
    answer.begin()
    headers = {name: RANDOM.sub("", value) for name, value in answer.getheaders() if name not in OF_THE_SERVER}
    return answer.status, headers, RANDOM.sub("", answer.read().decode())


def long(plaza: Plaza, method: str, path: str, form: str = "", accept: str = "") -> Facts:
    """The same by Flask."""
    answer = Client(plaza.app, use_cookies=False).open(
        path,
        method=method,
        data=form.encode() if method == "POST" else None,
        content_type="application/x-www-form-urlencoded" if method == "POST" else None,
        headers={"Host": HOST, "User-Agent": AGENT, "Accept-Language": accept},
        environ_overrides={"REMOTE_ADDR": "10.90.0.5"},
    )
    headers = {name: RANDOM.sub("", value) for name, value in answer.headers.items() if name not in OF_THE_SERVER}
    return answer.status_code, headers, RANDOM.sub("", answer.text)


def token(plaza: Plaza) -> str:
    found = re.search(r'name="token" value="([^"]+)"', long(plaza, "GET", "/")[2])
    return found[1] if found else ""


def test_a_whole_log_in_is_the_same_by_both_ways(build_plaza: Callable[..., Plaza]) -> None:
    seen = []
    for way in (short, long):
        plaza = build_plaza()
        plaza.phone(5)
        form = f"token={token(plaza)}&method=one_tap"
        steps = (("GET", "/?d=apple&lang=ko", ""), ("POST", "/login?lang=ko&d=apple", form), ("GET", "/?lang=ko", ""))
        seen.append([way(plaza, *step) for step in steps])
        assert plaza.gate.passes("10.90.0.5")
    assert seen[0] == seen[1]
    assert 'data-page="online"' in str(seen[0][1])


STATES: dict[str, Callable[[Plaza], object]] = {
    "waiting": lambda plaza: plaza.gate,
    "blocked": lambda plaza: plaza.gate.block(ip="10.90.0.5"),
    "unknown": lambda plaza: plaza.gate.leave("10.90.0.5"),
    "gate down": lambda plaza: setattr(plaza.gate, "down", True),
    "disaster": lambda plaza: plaza.gate.set_disaster(
        SetDisaster(on=True, reason="r", until=plaza.clock.now() + timedelta(hours=1), by="s")
    ),
}


@pytest.mark.parametrize("state", STATES.values(), ids=STATES)
def test_every_page_is_the_same_by_both_ways(
    build_plaza: Callable[..., Plaza], state: Callable[[Plaza], object]
) -> None:
    plaza = build_plaza(limits=LimitSettings(minutes_per_day=90), opens="08:00", closes="20:00")
    plaza.phone(5)
    forms = [f"token={token(plaza)}&method={m}&voucher=AAAA-BBBB&code=1" for m in ("voucher", "admin", "", "one_tap")]
    state(plaza)
    asked = [("GET", "/", ""), ("GET", "/?lang=vi", ""), ("POST", "/login", "method=one_tap")]
    for step in [*asked, *(("POST", "/login?lang=en", form) for form in forms[:3])]:
        assert short(plaza, *step) == long(plaza, *step)


WORDS = st.sampled_from(
    ["lang", "d", "token", "method", "ko", "one_tap", "voucher", "=", "&", "-", "*", "x", "1.ab", ""]
)


def test_generated_requests_get_the_same_answer_or_go_the_long_way(plaza: Plaza) -> None:
    plaza.phone(5)

    @settings(max_examples=150, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(
        st.sampled_from(["GET", "POST", "HEAD"]),
        st.sampled_from(["/", "/login", "/terms", "/x", "/%6c"]),
        st.lists(WORDS, max_size=6).map("".join),
        st.lists(WORDS, max_size=6).map("".join),
        st.sampled_from(["", "ne", "zh-TW,zh;q=0.9", "x" * 300, "q=;,"]),
    )
    def each(method: str, path: str, query: str, form: str, accept: str) -> None:
        found = short(plaza, method, f"{path}?{query}", form if method == "POST" else "", accept)
        assert found is None or found == long(plaza, method, f"{path}?{query}", form, accept)

    each()


def test_no_bytes_break_the_short_ways(plaza: Plaza) -> None:
    plaza.phone(5)
    app = plaza.app
    assert isinstance(app, ProbeRedirect)

    @settings(max_examples=400, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(
        st.lists(PIECES | st.binary(max_size=20), max_size=12).map(b"".join), st.sampled_from([b"", PAGE[:-2], PAGE])
    )
    def each(text: bytes, begun: bytes) -> None:
        assert app.quick is not None
        for answer in (app.quick(begun + text, "10.90.0.5", True), (app.at_once(begun + text, "10.90.0.5"),)):
            assert (
                answer is None
                or answer[0] is None
                or answer[0].startswith((b"HTTP/1.1 2", b"HTTP/1.1 3", b"HTTP/1.1 4"))
            )

    each()
    assert not plaza.gate.passes("10.90.0.5")


@pytest.mark.parametrize("path", ["/terms", "/logout", "/static/portal.css", "/captive-portal/api"])
def test_all_but_the_first_page_and_its_form_go_the_long_way(plaza: Plaza, path: str) -> None:
    assert short(plaza, "GET", path) is None
    assert short(plaza, "POST", path) is None


def test_a_surprise_on_the_short_way_is_a_page_and_a_line_in_the_log(plaza: Plaza) -> None:
    plaza.phone(5)
    plaza.store.close()
    form = f"token={token(plaza)}&method=voucher&voucher=AAAA-BBBB-CCCC"
    answer = short(plaza, "POST", "/login", form)
    assert answer is not None
    assert (answer[0], 'data-error="busy"' in answer[2]) == (500, True)
    assert "portal_failed" in plaza.log.getvalue()
    assert "AAAA" not in plaza.log.getvalue()
