"""What the short way reads, the server's own parser and Flask's read alike; what is unusual it leaves to them."""

from __future__ import annotations

import io

import pytest
from gunicorn.config import Config
from gunicorn.http.parser import RequestParser
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.wrappers import Request

from captive_portal.portal.plain_request import MAX_BYTES, PlainRequest, read_plain_request

FIELDS = b"User-Agent: Mozilla/5.0 (Android 14)\r\nAccept-Language: ko-KR,ko;q=0.9\r\nSec-Fetch-Mode: navigate\r\n"
PAGE = b"GET /?lang=ko&d=android HTTP/1.1\r\nHost: 10.90.0.1:8180\r\n" + FIELDS + b"\r\n"
BODY = b"token=12.ab&method=one_tap"
TYPE = b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 26\r\nConnection: close\r\n"
FORM = b"POST /login HTTP/1.1\r\nHost: wifi.example.jp\r\n" + FIELDS + TYPE + b"\r\n" + BODY
PIECES = st.sampled_from([
    b"GET ", b"POST ", b"/", b"/login", b"/?a=b&a=c&&d", b"/%2e", b" HTTP/1.1\r\n", b"\r\n", b"Host: a.example\r\n",
    b"Host : c\r\n", b"Host:\r\n", b"Connection: close\r\n", b"Connection: upgrade\r\n", b"Cookie: a=b\r\n",
    TYPE, BODY, b" folded\r\n", b"Content-Length: 5\r\n", b"Content-Length: +5\r\n",
    b"Transfer-Encoding: chunked\r\n", b"a=b&c", b"Content_Length: 3\r\n", b"\n", b"\x00",
    b"\xff", b"=&", b"a=%41", b"a=+",
])  # fmt: skip


def test_a_page_and_a_form_are_read() -> None:
    agent, language = "Mozilla/5.0 (Android 14)", "ko-KR,ko;q=0.9"
    args, form = {"lang": "ko", "d": "android"}, {"token": "12.ab", "method": "one_tap"}
    assert read_plain_request(PAGE) == PlainRequest("GET", "10.90.0.1:8180", "/", args, {}, agent, language, True)
    asked = PlainRequest("POST", "wifi.example.jp", "/login", {}, form, agent, language, False)
    assert read_plain_request(FORM) == asked


@pytest.mark.parametrize(
    "raw",
    [
        FORM[:-1],
        FORM + b"x",
        PAGE[:-1],
        PAGE + b"GET",
        PAGE.replace(b"GET", b"HEAD"),
        PAGE.replace(b"1.1", b"1.0"),
        PAGE.replace(b"lang=ko", b"lang=%6bo"),
        PAGE.replace(b"Host: ", b"Host : "),
        PAGE.replace(FIELDS, FIELDS + FIELDS),
        PAGE.replace(FIELDS, b"Cookie: resume=x\r\n" + FIELDS),
        PAGE.replace(FIELDS, b"Connection: keep-alive, Upgrade\r\n" + FIELDS),
        PAGE.replace(FIELDS, b"Content-Length: 0\r\n" + FIELDS),
        PAGE.replace(FIELDS, b"X-Forwarded-Proto: https\r\n" + FIELDS),
        PAGE.replace(FIELDS, b"X: " + b"y" * MAX_BYTES + b"\r\n" + FIELDS),
        PAGE.replace(FIELDS, b"".join(b"X%d: y\r\n" % n for n in range(61)) + FIELDS),
        PAGE.replace(b"\r\n", b"\n"),
        FORM.replace(b"x-www-form-urlencoded", b"json"),
        FORM.replace(b"one_tap", b"one+tap"),
        FORM.replace(b"Content-Length: 26\r\n", b"Transfer-Encoding: chunked\r\n"),
        FORM.replace(b"Length: 26", b"Length: 026"),
    ],
)
def test_anything_unusual_is_left_to_the_real_parser(raw: bytes) -> None:
    assert read_plain_request(raw) is None


@given(st.lists(PIECES, max_size=10).map(b"".join), st.sampled_from([b"", PAGE[:-2], FORM[: -2 - len(BODY)]]))
def test_what_it_reads_the_real_parsers_read_alike(text: bytes, begun: bytes) -> None:
    raw = begun + text
    asked = read_plain_request(raw)
    if asked is None:
        return
    theirs = next(RequestParser(Config(), io.BytesIO(raw), ("127.0.0.1", 1)))
    headers = {name.lower(): value for name, value in theirs.headers}
    assert (theirs.method, theirs.path, headers["host"]) == (asked.method, asked.path, asked.host)
    assert theirs.should_close() is not asked.keeps
    flask = Request({"REQUEST_METHOD": asked.method, "QUERY_STRING": theirs.query, "wsgi.input": io.BytesIO(),
                     "SERVER_NAME": "x", "SERVER_PORT": "80", "wsgi.url_scheme": "http"})  # fmt: skip
    assert flask.args.to_dict() == asked.args
    body = theirs.body.read()
    environ = {"REQUEST_METHOD": "POST", "CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body)}
    assert Request({**environ, "CONTENT_TYPE": "application/x-www-form-urlencoded"}).form.to_dict() == asked.form
