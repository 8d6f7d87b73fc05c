"""Requests nobody should send, as bytes on real sockets: never a 5xx, no phone let in, nothing of them in a log."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.captive_portal.portal.test_hostile import NASTY, PATHS
from tests.fixtures.web_processes import WebProcesses

pytestmark = pytest.mark.needs("nginx")
NAMES = [b"Host", b"Content-Length", b"Transfer-Encoding", b"Connection", b"Expect", b"Cookie", b"User-Agent",
         b"Upgrade", b"X-Real-IP", b"X-Forwarded-Proto", b"X-Forwarded-Ssl", b"Content-Type", b"Accept-Language",
         b"Range", b"TE",
         b"Content-Encoding", b"X_Real_IP", b"Host ", b"\xff", b""]  # fmt: skip
VALUES = [b"wifi.example.jp", b"x", b"0", b"5", b"-1", b"99999999999999999999", b"chunked", b"gzip, chunked", b"close",
          b"upgrade", b"h2c", b"100-continue", b"application/x-www-form-urlencoded", b"multipart/form-data; boundary=x",
          b"bytes=0-5,3-9", b"resume=x.0.y", b"", b"\t", b"a" * 5000]  # fmt: skip
LINES = [b"GET", b"POST", b"HEAD", b"PUT", b"OPTIONS", b"TRACE", b"BREW", b"CONNECT", b"get", b""]
ENDS = [b"HTTP/1.1", b"HTTP/1.1", b"HTTP/1.1", b"HTTP/1.0", b"HTTP/0.9", b"HTTP/2.0", b"HTTP/9.9", b"", b"\x00"]
TARGETS = [
    *(path.encode() for path in PATHS),
    b"*",
    b"http://wifi.example.jp/",
    b"/static/portal.css",
    b"/hiroba-error-pages/busy.html",
]
texts = st.sampled_from([text.encode("utf-8", "surrogatepass") for text in NASTY]) | st.binary(max_size=40)
fields = st.tuples(st.sampled_from(NAMES), st.sampled_from(VALUES) | texts).map(b": ".join)
bodies = st.sampled_from([b"", b"method=one_tap&token=x", b"5\r\ntoken\r\n0\r\n\r\n", b"--x\r\n\r\n"]) | st.binary(
    max_size=200
)


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    """One request, most of them to the portal's own name, some to another one."""
    target = draw(st.sampled_from(TARGETS)) + draw(st.just(b"") | texts.map(lambda text: b"?" + text) | texts)
    line = b" ".join((draw(st.sampled_from(LINES[:2]) | st.sampled_from(LINES)), target, draw(st.sampled_from(ENDS))))
    own = draw(st.sampled_from([[b"Host: wifi.example.jp"]] * 4 + [[b"Host: captive.apple.com"], []]))
    return b"\r\n".join([line, *own, *draw(st.lists(fields, max_size=6)), b"", draw(bodies)])


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebProcesses]:
    with WebProcesses(tmp_path_factory.mktemp("h")) as running:
        yield running


def status(web: WebProcesses, sent: bytes, source: str) -> int:
    """Of the first answer; 0 for none. The sender says no more, so nobody waits for the rest of a body."""
    with web.say(sent, source=source) as connection:
        connection.shutdown(1)
        try:
            told = connection.recv(4096)
        except ConnectionResetError:
            return 0
    return int(told[9:12]) if told.startswith(b"HTTP/1.1 ") else 0


def campaign(web: WebProcesses, examples: int) -> None:
    """Each from another address, since one alone would soon be told 429."""
    sources = itertools.cycle(f"127.0.{high}.{low}" for high in range(20, 30) for low in range(1, 251))
    web.gate.arrive("127.0.20.1", "02:00:5e:00:01:01")
    seen: set[int] = set()

    @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(requests())
    def each(sent: bytes) -> None:
        told = status(web, sent, next(sources))
        seen.add(told)
        assert told < 500 or told in (501, 505), (told, sent)

    each()
    assert {200, 302, 400} <= seen
    assert not web.gate.passes("127.0.20.1")
    assert [word for word in ("request_failed", "portal_failed", "127.0.", "Invalid") if word in web.log()] == []


def test_two_thousand_generated_requests_break_nothing(web: WebProcesses) -> None:
    campaign(web, 2_000)


@pytest.mark.long
@pytest.mark.timeout(3600)  # on a busy machine too
def test_ten_thousand_generated_requests_break_nothing(web: WebProcesses) -> None:
    campaign(web, 10_000)
