"""The portal as phones reach it, nginx and gunicorn together, by real sockets."""

from __future__ import annotations

import contextlib
import http.client
import re
import socket
import ssl
import threading
import time
from collections.abc import Iterator

import pytest

from captive_portal.portal.probes import PROBES, Probe
from device.web_headers import HEADERS, PageKind
from tests.fixtures.tls import write_test_credential
from tests.fixtures.web_processes import NAME, WebProcesses

pytestmark = pytest.mark.needs("nginx")
HEAD = b"POST /login HTTP/1.1\r\nHost: wifi.example.jp\r\n"


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebProcesses]:
    with WebProcesses(tmp_path_factory.mktemp("w")) as running:
        yield running


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebProcesses]:
    """Without TLS."""
    with WebProcesses(tmp_path_factory.mktemp("p"), tls=False) as running:
        yield running


def arrive(web: WebProcesses, number: int) -> str:
    """A phone with a lease; its address."""
    ip = f"127.0.9.{number}"
    web.gate.arrive(ip, f"02:00:5e:00:00:{number:02x}")
    return ip


def log_in(web: WebProcesses, ip: str, *, tls: bool = True) -> str:
    """The page that answers the form."""
    token = re.search(r'name="token" value="([^"]+)"', web.ask("GET", "/", tls=tls, source=ip)[2])
    assert token
    return web.ask("POST", "/login", f"method=one_tap&token={token[1]}", tls=tls, source=ip)[2]


# -- redirects --


@pytest.mark.parametrize("row", PROBES, ids=lambda p: p.host + p.path)
def test_every_probe_is_redirected_with_its_kind_and_the_connection_ends(web: WebProcesses, row: Probe) -> None:
    host = "vendor.example.jp" if row.host == "*" else row.host
    status, headers, _ = web.ask("GET", "/any" if row.path == "*" else row.path, Host=host)
    assert (status, headers["location"]) == (302, f"https://{NAME}/?d={row.kind.value}")
    assert (headers["cache-control"], headers["connection"]) == ("no-store", "close")
    assert status != row.online_status


@pytest.mark.parametrize("verb", ["GET", "HEAD", "POST", "PUT", "OPTIONS", "BREW"])
@pytest.mark.parametrize("tls", [False, True])
def test_every_method_and_foreign_host_is_sent_to_the_portal(web: WebProcesses, verb: str, tls: bool) -> None:
    status, headers, _ = web.ask(verb, "/news?x=1", "a=b" if verb == "POST" else "", tls=tls, Host="www.example.jp")
    assert (status, headers["location"]) == (302, f"https://{NAME}/?d=other")


@pytest.mark.parametrize(
    "path", ["/pages/", "/pages/about", "/static/a.css", "/login", "/%70ages/x", "//", "/a/../pages/b"]
)
def test_every_path_of_a_foreign_host_is_sent_to_the_portal(web: WebProcesses, path: str) -> None:
    status, headers, _ = web.ask("GET", path, Host="shop.example.jp")
    assert (status, headers["location"]) == (302, f"https://{NAME}/?d=other")


def test_the_pages_of_errors_cannot_be_asked_for(web: WebProcesses) -> None:
    assert web.ask("GET", "/hiroba-error-pages/busy.html")[0] == 404


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:8180", NAME, "WIFI.example.jp", "localhost", "[::1]"])
def test_our_own_names_are_served(web: WebProcesses, host: str) -> None:
    assert web.ask("GET", "/", Host=host)[0] == 200


def test_without_tls_a_phone_is_sent_to_the_gateway_of_its_spot(plain: WebProcesses) -> None:
    assert plain.ask("GET", "/", Host="x.example")[1]["location"] == f"http://127.0.0.1:{plain.port}/?d=other"


@pytest.mark.attacks
@pytest.mark.parametrize(
    "lines", [b"GET / HTTP/1.1\r\n\r\n", b"GET / HTTP/1.0\r\n\r\n", b"GET / HTTP/1.1\r\nHost:\r\n\r\n"]
)
def test_a_request_without_a_host_is_refused(web: WebProcesses, lines: bytes) -> None:
    with web.say(lines) as connection:
        assert connection.recv(4096).startswith(b"HTTP/1.1 400 ")


# -- what the application believes --


def test_a_phone_logs_in_by_its_own_address_over_plain_and_tls(web: WebProcesses) -> None:
    for number, tls in ((1, False), (2, True)):
        ip = arrive(web, number)
        assert 'data-page="online"' in log_in(web, ip, tls=tls)
        assert web.gate.passes(ip)


def test_no_header_makes_a_phone_another_one(web: WebProcesses) -> None:
    victim, other = arrive(web, 3), arrive(web, 4)
    assert 'data-page="online"' in log_in(web, victim)
    for name in ("X-Real-IP", "X_Real_IP", "X-Forwarded-For", "Forwarded", "X-Hiroba-Listener", "Remote-Addr"):
        page = web.ask("GET", "/", tls=True, source=other, **{name.replace("-", "_"): victim})[2]
        assert 'data-page="welcome"' in page, name
    with web.say(f"GET / HTTP/1.1\r\nHost: {NAME}\r\nX-Real-IP: {victim}\r\n\r\n".encode(), source=other) as bare:
        assert b'data-page="welcome"' in bare.recv(65536)


def test_the_resume_cookie_is_secure_over_tls_alone_whatever_a_header_says(web: WebProcesses) -> None:
    for number, tls in ((11, True), (12, False)):
        ip = arrive(web, number)
        token = re.search(r'name="token" value="([^"]+)"', web.ask("GET", "/", tls=tls, source=ip)[2])
        assert token
        form, lies = f"method=one_tap&token={token[1]}", {"X_Forwarded_Proto": "ftp", "X_Forwarded_Ssl": "on"}
        cookie = web.ask("POST", "/login", form, tls=tls, source=ip, **lies)[1]["set-cookie"]
        assert (cookie.startswith("resume="), "Secure" in cookie) == (True, tls)


def test_the_socket_of_the_portal_is_its_own_and_its_group_s_alone(web: WebProcesses) -> None:
    assert (web.state / "portal" / "web.sock").stat().st_mode & 0o777 == 0o660


# -- static files and errors --


def test_static_files_bear_the_guards_and_may_be_kept(web: WebProcesses) -> None:
    status, headers, text = web.ask("GET", "/static/portal.css")
    assert (status, headers["content-type"], headers["cache-control"]) == (200, "text/css", "max-age=86400")
    assert {name: headers.get(name.lower()) for name in HEADERS[PageKind.PORTAL]} == HEADERS[PageKind.PORTAL]
    assert "body" in text


@pytest.mark.parametrize(
    "path", ["/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2fapp.py", "/static../app.py"]
)
def test_no_path_leads_out_of_the_static_files(web: WebProcesses, path: str) -> None:
    status, _, text = web.ask("GET", path)
    assert (status in (400, 404), "import" in text) == (True, False)


def test_a_portal_that_is_away_is_a_page_in_the_city_s_words_and_it_comes_back(web: WebProcesses) -> None:
    web.kill("portal")
    status, headers, page = web.ask("GET", "/", tls=True)
    assert (status, headers["retry-after"], "混み合っています" in page, "It is busy now" in page) == (
        503,
        "5",
        True,
        True,
    )
    assert web.ask("GET", "/generate_204", Host="clients3.google.com")[0] == 302
    web.start("portal")
    web.until(lambda: web.ask("GET", "/")[0] == 200)


# -- slow and hostile senders --

STALLED = {
    "silent": b"",
    "half a head": HEAD,
    "half a body": HEAD + b"Content-Length: 10\r\n\r\nabc",
    "half a ClientHello": b"\x16\x03\x01\x02\x00\x01",
}


@pytest.mark.attacks
@pytest.mark.parametrize("stalled", STALLED.values(), ids=STALLED)
@pytest.mark.parametrize("tls", [False, True])
def test_three_hundred_stalled_connections_stop_nobody(web: WebProcesses, stalled: bytes, tls: bool) -> None:
    connections = [web.say(stalled, tls=tls, source=f"127.0.8.{n % 60 + 1}") for n in range(300)]
    ip = arrive(web, 6)
    assert [web.ask("GET", "/", tls=tls, source=ip)[0] for _ in range(5)] == [200] * 5
    for connection in connections:
        connection.close()


def client_hello() -> bytes:
    """What a phone says first over TLS."""
    said = ssl.MemoryBIO()
    with contextlib.suppress(ssl.SSLWantReadError):
        ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), said, server_hostname=NAME).do_handshake()
    return said.read()


@pytest.mark.attacks
def test_phones_that_stall_inside_tls_stop_nobody(web: WebProcesses) -> None:
    hello = client_hello()
    connections = [web.say(hello, tls=True, source=f"127.0.8.{n % 60 + 1}") for n in range(300)]
    ip = arrive(web, 7)
    assert 'data-page="online"' in log_in(web, ip)
    for connection in connections:
        connection.close()


def test_a_request_in_many_pieces_arrives_whole(web: WebProcesses) -> None:
    form = b"method=one_tap&token=x"
    connection = web.say(HEAD, source=arrive(web, 8))
    rest = b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%b" % (len(form), form)
    for start in range(0, len(rest), 7):
        connection.sendall(rest[start : start + 7])
    assert connection.recv(4096).startswith(b"HTTP/1.1 403 ")
    connection.close()


def test_a_kept_connection_serves_again_and_two_requests_in_one_breath_are_answered(web: WebProcesses) -> None:
    asking = web.connect(tls=True)
    for _ in range(5):
        asking.request("GET", "/terms", headers={"Host": NAME})
        assert asking.getresponse().read().count(b'data-page="terms"') == 1
    asking.close()
    twice = f"GET /static/icon.svg HTTP/1.1\r\nHost: {NAME}\r\n\r\n".encode() * 2
    with web.say(twice + b"GET / HTTP/1.1\r\nHost: x\r\n\r\n") as connection:
        told = b"".join(iter(lambda: connection.recv(65536), b""))  # the foreign host's answer ends it
    assert told.count(b"HTTP/1.1 200 OK") == 2
    assert told.count(b"HTTP/1.1 302 ") == 1


def test_a_chunked_form_is_refused_and_a_large_one(web: WebProcesses) -> None:
    chunked = HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\ntoken\r\n0\r\n\r\n"
    with web.say(chunked) as connection:
        assert connection.recv(4096).startswith(b"HTTP/1.1 411 ")
    assert web.ask("POST", "/login", "token=" + "x" * 20_000)[0] == 413


SECRET = b"address=visitor@example.jp"
UNREADABLE = {
    "no request line": (SECRET + b"\r\n\r\n", {400}),
    "a line too long": (b"GET /" + SECRET * 400 + b" HTTP/1.1\r\nHost: wifi.example.jp\r\n\r\n", {414}),
    "no header": (HEAD + SECRET + b"\r\n\r\n", {400, 411, 403}),
    "a header too long": (HEAD + b"X: " + SECRET * 1000 + b"\r\n\r\n", {400, 494}),
    "an unknown coding": (HEAD + b"Transfer-Encoding: " + SECRET + b"\r\n\r\n", {400, 501}),
    "no length": (HEAD + b"Content-Length: -1\r\n\r\n" + SECRET, {400}),
    "two lengths": (HEAD + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\n" + SECRET, {400}),
    "many headers": (HEAD + b"".join(b"X-%d: %b\r\n" % (n, SECRET) for n in range(90)) + b"\r\n", {400, 403, 431}),
}


@pytest.mark.parametrize(("sent", "statuses"), UNREADABLE.values(), ids=UNREADABLE)
@pytest.mark.parametrize("tls", [False, True])
def test_what_cannot_be_read_is_refused(web: WebProcesses, sent: bytes, statuses: set[int], tls: bool) -> None:
    connection: socket.socket = web.say(b"", tls=tls)
    if tls:
        context = ssl.create_default_context(cafile=str(web.trust))
        connection = context.wrap_socket(connection, server_hostname=NAME)
    with connection:
        connection.sendall(sent)
        told = connection.recv(65536)
    assert told.startswith(b"HTTP/1.1 ")
    assert int(told[9:12]) in statuses, told[:60]
    assert web.ask("GET", "/")[0] == 200


def test_plain_http_at_the_port_of_tls_is_refused_in_the_city_s_words(web: WebProcesses) -> None:
    with web.say(b"GET / HTTP/1.1\r\nHost: wifi.example.jp\r\n\r\n", tls=True) as connection:
        told = b"".join(iter(lambda: connection.recv(65536), b""))
    assert told.startswith(b"HTTP/1.1 400 ")
    assert 'data-error="refused"' in told.decode()


def test_one_address_does_not_get_more_than_its_share_of_requests(web: WebProcesses) -> None:
    asked = f"GET /terms HTTP/1.1\r\nHost: {NAME}\r\nConnection: close\r\n\r\n".encode()
    ip = arrive(web, 9)
    sent = [web.say(asked, source=ip) for _ in range(200)]
    answers = [connection.recv(12) for connection in sent]
    assert set(answers) == {b"HTTP/1.1 200", b"HTTP/1.1 429"}
    assert web.ask("GET", "/", source=arrive(web, 10))[0] == 200


# -- TLS, logs, reload --


@pytest.mark.attacks
def test_tls_is_1_2_or_newer_without_cbc_and_sessions_are_taken_up_again(web: WebProcesses) -> None:
    context = ssl.create_default_context(cafile=str(web.trust))
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    sessions: list[ssl.SSLSession | None] = []
    for before in (None, 0):
        plain = socket.create_connection(("127.0.0.1", web.tls_port))
        session = sessions[before] if before is not None else None
        with context.wrap_socket(plain, server_hostname=NAME, session=session) as connection:
            assert connection.session_reused == (before is not None)
            assert "GCM" in str(connection.cipher()) or "CHACHA" in str(connection.cipher())
            sessions.append(connection.session)
    context.set_ciphers("ECDHE+AES:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    for wrong in ("ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA", "ECDHE-ECDSA-AES256-SHA384"):
        context.set_ciphers(wrong)
        with pytest.raises(OSError), socket.create_connection(("127.0.0.1", web.tls_port)) as plain:  # noqa: PT011
            context.wrap_socket(plain, server_hostname=NAME)


def test_a_new_credential_is_read_by_itself_and_no_request_is_dropped(web: WebProcesses) -> None:
    failed: list[BaseException] = []
    answered, over = [], threading.Event()

    def ask_on(number: int) -> None:
        while not over.is_set():
            try:
                answered.append(web.ask("GET", "/static/icon.svg", source=f"127.0.7.{number}")[0])
            except (OSError, http.client.HTTPException) as error:
                failed.append(error)

    threads = [threading.Thread(target=ask_on, args=(number,)) for number in range(1, 5)]
    for thread in threads:
        thread.start()
    before = served_credential(web)
    try:
        write_test_credential(web.state, NAME)
        web.until(lambda: served_credential(web) != before)
        time.sleep(0.3)  # the old workers end meanwhile
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert failed == []
    assert set(answered) == {200}


def served_credential(web: WebProcesses) -> str:
    """PEM of what the TLS port shows."""
    return ssl.get_server_certificate(("127.0.0.1", web.tls_port))


def test_nothing_that_was_sent_and_no_address_stands_in_any_log(web: WebProcesses) -> None:
    """Last: the log of all that came before."""
    told = web.log()
    assert [word for word in ("visitor@", "127.0.", "Invalid", "wifi.example", "GET ", "client") if word in told] == []
