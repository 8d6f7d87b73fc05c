"""The lean reader takes what phones send by the thousand, and nothing that a real parser might read otherwise."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from gunicorn.config import Config
from gunicorn.http.parser import RequestParser
from hypothesis import given
from hypothesis import strategies as st

from captive_portal.portal.plain_get import PlainGet, read_plain_get
from captive_portal.portal.probes import PROBES, Probe
from captive_portal.portal.redirect import Origins, ProbeRedirect
from tests.captive_portal.portal.test_redirect import SITE

if TYPE_CHECKING:
    from collections.abc import Iterable

FIELDS = b"User-Agent: Dalvik/2.1.0 (Linux; Android 14)\r\nAccept-Encoding: gzip\r\nConnection: Keep-Alive\r\n"
USUAL = b"GET /generate_204 HTTP/1.1\r\nHost: connectivitycheck.gstatic.com\r\n" + FIELDS + b"\r\n"
PIECES = st.sampled_from([
    b"GET ", b"POST ", b"/generate_204", b"/a?b=c", b"/%2e", b"http://x/", b" HTTP/1.1\r\n", b" HTTP/1.0\r\n", b"\r\n",
    b"Host: a.example\r\n", b"host:b.example:80\r\n", b"Host : c\r\n", b"Host:\r\n", b"User-Agent: x\r\n",
    b" folded\r\n", b"Content-Length: 2\r\n", b"Transfer-Encoding: chunked\r\n", b"Upgrade: h2c\r\n", b"\n",
    b"\x00", b"\xff",
])  # fmt: skip


def redirect() -> ProbeRedirect:
    def never(_environ: dict[str, object], _start: object) -> Iterable[bytes]:
        raise AssertionError("asked")

    return ProbeRedirect(never, Origins(SITE))


def test_a_phones_probe_is_read() -> None:
    asked = PlainGet("connectivitycheck.gstatic.com", "/generate_204", "Dalvik/2.1.0 (Linux; Android 14)")
    assert read_plain_get(USUAL) == asked


@pytest.mark.parametrize(
    "raw",
    [
        USUAL[:-1],
        USUAL + b"GET",
        USUAL.replace(b"GET", b"HEAD"),
        USUAL.replace(b"1.1", b"1.0"),
        USUAL.replace(b"/gen", b"http://x/gen"),
        USUAL.replace(b"/gen", b"/%67en"),
        USUAL.replace(b"Host: ", b"Host:\x00"),
        USUAL.replace(b"Host: ", b"Host : "),
        USUAL.replace(FIELDS, b"Host: other.example\r\n" + FIELDS),
        USUAL.replace(FIELDS, b"Content-Length: 0\r\n" + FIELDS),
        USUAL.replace(FIELDS, b"Transfer-Encoding: chunked\r\n" + FIELDS),
        USUAL.replace(FIELDS, b" folded\r\n" + FIELDS),
        USUAL.replace(b"Host: connectivitycheck.gstatic.com\r\n", b""),
        USUAL.replace(FIELDS, b"X: " + b"y" * 2048 + b"\r\n" + FIELDS),
        USUAL.replace(b"\r\n", b"\n"),
    ],
)
def test_anything_unusual_is_left_to_the_real_parser(raw: bytes) -> None:
    assert read_plain_get(raw) is None


@given(st.lists(PIECES, max_size=10).map(b"".join), st.booleans())
def test_what_it_reads_the_servers_own_parser_reads_alike(text: bytes, begun: bool) -> None:
    raw = (b"GET /x HTTP/1.1\r\nHost: h.example\r\n" if begun else b"") + text
    asked = read_plain_get(raw)
    if asked is None:
        return
    theirs = next(RequestParser(Config(), io.BytesIO(raw), ("127.0.0.1", 1)))
    headers = {name.lower(): value for name, value in theirs.headers}
    assert (theirs.method, theirs.path, headers["host"]) == ("GET", asked.path, asked.host)
    assert theirs.body.read() == b""


@pytest.mark.parametrize("row", PROBES, ids=lambda p: p.host + p.path)
def test_every_probe_gets_the_same_answer_at_once(row: Probe) -> None:
    host, path = "v.example.jp" if row.host == "*" else row.host, "/any" if row.path == "*" else row.path
    raw = f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
    answer = redirect().at_once(raw, "::ffff:10.91.0.20")
    assert answer is not None
    status, *lines = answer.decode("ascii").split("\r\n")
    assert status == "HTTP/1.1 302 Found"
    assert f"Location: http://10.91.0.1:8180/?d={row.kind.value}" in lines
    assert {"Cache-Control: no-store", "Content-Length: 0", "Connection: close"} <= set(lines)
    assert answer.endswith(b" GMT\r\n\r\n")


@pytest.mark.parametrize("host", ["10.90.0.1", "10.90.0.1:8180", "WIFI.example.jp", "localhost:8180"])
def test_our_own_pages_are_not_answered_at_once(host: str) -> None:
    assert redirect().at_once(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode(), "10.90.0.20") is None
