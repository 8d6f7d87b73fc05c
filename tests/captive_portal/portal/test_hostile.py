"""Requests nobody should send: never a 5xx, never a phone let in, never more memory kept."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import EnvironBuilder, run_wsgi_app

if TYPE_CHECKING:
    from tests.captive_portal.portal.conftest import Plaza

PATHS = [
    "/",
    "/login",
    "/logout",
    "/extend",
    "/resume",
    "/code",
    "/terms",
    "/disaster",
    "/captive-portal/api",
    "/static/x",
]
NASTY = [
    "../etc/passwd",
    "%2e%2e/",
    "\x00",
    "\r\nSet-Cookie: a=b",
    "{{7*7}}",
    "<script>",
    "'\"--",
    "٣٤٥",
    "\ud800",
    "ﷺ" * 50,
]
FIELDS = ["lang", "d", "token", "method", "request", "code", "voucher", "address", "resume_token", "next"]
texts = st.one_of(
    st.text(max_size=60), st.sampled_from(NASTY), st.binary(max_size=60).map(lambda b: b.decode("latin-1"))
)
latin = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=80)


@st.composite
def requests(draw: st.DrawFn) -> dict[str, object]:
    """One request as WSGI hands it over: any method, path bytes, query, headers and body."""
    path = draw(st.sampled_from(PATHS)) + draw(st.one_of(st.just(""), latin))
    query = urlencode(draw(st.dictionaries(st.sampled_from(FIELDS), texts, max_size=4)), errors="surrogatepass")
    body = draw(
        st.one_of(
            st.binary(max_size=300),
            st.dictionaries(st.sampled_from(FIELDS), texts, max_size=6).map(
                lambda form: urlencode(form, errors="surrogatepass").encode()
            ),
            st.just(b"a=" + b"x" * 20_000),
        )
    )
    return {
        "REQUEST_METHOD": draw(st.sampled_from(["GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE", "BREW"])),
        "PATH_INFO": path,
        "QUERY_STRING": query + draw(st.one_of(st.just(""), latin)),
        "CONTENT_TYPE": draw(st.sampled_from(["application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
                                              "multipart/form-data", "application/json", "\xff"])),
        "HTTP_HOST": draw(st.sampled_from(["10.90.0.1:8180", "10.90.0.1:8180", "evil\xff", ""])),
        "HTTP_ACCEPT_LANGUAGE": draw(latin),
        "HTTP_USER_AGENT": draw(latin),
        "HTTP_COOKIE": draw(st.one_of(st.just("resume=x.0.y"), latin)),
        "HTTP_ACCEPT": draw(latin),
        "body": body,
    }  # fmt: skip


def send(plaza: Plaza, facts: dict[str, object]) -> int:
    """The status of one raw request from the waiting phone."""
    body = facts["body"]
    assert isinstance(body, bytes)
    environ = EnvironBuilder(data=body).get_environ()
    environ.update({k: v for k, v in facts.items() if k != "body"})
    environ.update(REMOTE_ADDR="10.90.0.5", CONTENT_LENGTH=str(len(body)))
    _, status, _ = run_wsgi_app(plaza.app, environ, buffered=True)
    return int(status.partition(" ")[0])


def campaign(plaza: Plaza, examples: int) -> None:
    """Send ``examples`` generated requests; each is judged, and the phone is still outside at the end."""
    plaza.phone(5)

    @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(requests())
    def each(facts: dict[str, object]) -> None:
        assert send(plaza, facts) < 500

    each()
    assert not plaza.gate.passes("10.90.0.5")
    assert "portal_failed" not in plaza.log.getvalue()


def test_two_thousand_generated_requests_break_nothing(plaza: Plaza) -> None:
    campaign(plaza, 2_000)


@pytest.mark.long
@pytest.mark.timeout(3600)  # on a busy machine too
def test_ten_thousand_generated_requests_break_nothing(plaza: Plaza) -> None:
    campaign(plaza, 10_000)


@pytest.mark.parametrize("path", ["/\xff\xfe", "/\x00", "/a\r\nb", "/\xc3(", "/terms\x00"])
def test_a_path_that_is_no_text_is_a_bad_request(plaza: Plaza, path: str) -> None:
    assert send(plaza, {"PATH_INFO": path, "HTTP_HOST": "10.90.0.1:8180", "body": b""}) == 400


@pytest.mark.parametrize("path", ["/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2fapp.py", "//etc/passwd"])
def test_no_path_leads_out_of_the_static_files(plaza: Plaza, path: str) -> None:
    answer = plaza.phone().get(path)
    assert answer.status_code in (404, 308, 302)
    assert "import" not in answer.text


def test_a_body_without_a_length_is_refused_unread(plaza: Plaza) -> None:
    facts = {"REQUEST_METHOD": "POST", "PATH_INFO": "/login", "HTTP_HOST": "10.90.0.1:8180", "body": b"5\r\ntoken"}
    assert send(plaza, {**facts, "HTTP_TRANSFER_ENCODING": "chunked"}) == 411


def test_a_body_too_large_is_refused_unread(plaza: Plaza) -> None:
    assert plaza.phone().post("/login", {"token": "x" * 20_000}).status_code == 413


def test_a_form_of_many_fields_is_refused(plaza: Plaza) -> None:
    phone = plaza.phone()
    assert phone.post("/login", {f"f{n}": "x" for n in range(2_000)}).status_code == 413


def test_a_visitor_can_not_write_into_the_page(plaza: Plaza) -> None:
    phone = plaza.phone()
    mark = '"><img src=x>'
    phone.get("/")
    pages = [
        phone.get(f"/code?request={quote(mark)}&lang={quote(mark)}&d={quote(mark)}").text,
        phone.get(f"/resume?token={quote(mark)}").text,
    ]
    phone.get("/")
    pages.append(phone.press("login", "voucher", voucher=mark).text)
    assert [p for p in pages if "<img" in p] == []


def test_what_is_remembered_of_foreign_addresses_has_a_bound(plaza: Plaza) -> None:
    from captive_portal.portal.origins import Origins

    origins = Origins(plaza.settings)
    for number in range(45_000):
        origins.of(f"198.51.{number >> 8 & 255}.{number & 255}.{number}")
    assert len(vars(origins)["_cached"]) <= 20_000
