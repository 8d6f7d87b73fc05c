"""The worker that waits without threads: what is whole is known, and stalled phones stop nobody."""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.loopback import free_ports
from provisioning.arrival import missing, missing_tls
from tests.fixtures.mail_server import wait_for
from tests.fixtures.tls import write_test_credential

SERVER = """
import sys
from provisioning.serve import Listen, Served, serve
def app(environ, start):
    body = environ["wsgi.input"].read()
    last = [("Connection", "close")] if body == b"goodbye" else []
    start("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body))), *last])
    return [body]
class App:
    __call__ = staticmethod(app)
    def at_once(self, request, client):
        whole = b"HTTP/1.1 200 OK\\r\\nContent-Length: 4\\r\\nConnection: close\\r\\n\\r\\nfast"
        return whole if request.startswith(b"GET /now ") and client == "127.0.0.1" else None
    def quick(self, request, client, tls):
        if not request.startswith(b"GET /quick "):
            return None
        keeps = b"close" not in request
        body = b"%s %s" % (client.encode(), b"tls" if tls else b"plain")
        told = b"keep-alive" if keeps else b"close"
        head = b"HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\nConnection: %s\\r\\n\\r\\n" % (len(body), told)
        return head + body, keeps
tls = (sys.argv[2], sys.argv[3]) if len(sys.argv) > 2 else None
door = int(sys.argv[4]) if len(sys.argv) > 4 else None
listen = Listen("127.0.0.1", int(sys.argv[1]), "test", workers=1, threads=2, tls=tls, tls_port=door)
serve(listen, lambda: Served(App()))
"""
HEAD = b"POST / HTTP/1.1\r\nHost: x\r\n"


@dataclass
class Server:
    port: int
    trust: Path | None
    log: Path

    def connect(self) -> http.client.HTTPConnection:
        """A new connection."""
        if self.trust is None:
            return http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        context = ssl.create_default_context(cafile=str(self.trust))
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=30, context=context)

    def ask(self, body: bytes = b"hello") -> bytes:
        """One whole request on a new connection."""
        asking = self.connect()
        asking.request("POST", "/", body)
        answer = asking.getresponse().read()
        asking.close()
        return answer

    def open(self) -> socket.socket:
        """A bare connection, over TLS where the server speaks it."""
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        if self.trust is None:
            return plain
        return ssl.create_default_context(cafile=str(self.trust)).wrap_socket(plain, server_hostname="127.0.0.1")

    def say(self, text: bytes) -> socket.socket:
        """A connection that has sent this much and says no more."""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        connection.sendall(text)
        return connection


@pytest.fixture(scope="module", params=["plain", "tls"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    (port,) = free_ports(1)
    tls = write_test_credential(tmp_path_factory.mktemp("tls")) if request.param == "tls" else None
    words = [str(port), *(map(str, tls) if tls else ())]
    yield from running(words, Server(port, tls[0] if tls else None, tmp_path_factory.mktemp("log") / "server.log"))


@pytest.fixture
def portal(tmp_path: Path) -> Iterator[Server]:
    """Two doors with the same workers; this one is the one that speaks TLS."""
    plain, door = free_ports(2)
    certificate, key = write_test_credential(tmp_path)
    words = [str(plain), str(certificate), str(key), str(door)]
    yield from running(words, Server(door, certificate, tmp_path / "server.log"))


def running(words: list[str], served: Server) -> Iterator[Server]:
    """The server's process, from its first answer on."""
    with served.log.open("wb") as file:
        process = subprocess.Popen([sys.executable, "-c", SERVER, *words], cwd=Path(__file__).parents[2], stderr=file)

    def up() -> bool:
        try:
            return served.ask() == b"hello"
        except OSError:
            return False

    wait_for(up)
    yield served
    process.terminate()
    process.wait(15)


STALLED = {
    "silent": b"",
    "half a head": HEAD,
    "half a body": HEAD + b"Content-Length: 10\r\n\r\nabc",
    "half a chunk": HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nab",
    "half a ClientHello": b"\x16\x03\x01\x02\x00\x01",
}


@pytest.mark.parametrize("stalled", STALLED.values(), ids=STALLED)
def test_three_hundred_stalled_connections_stop_nobody(server: Server, stalled: bytes) -> None:
    connections = [server.say(stalled) for _ in range(300)]
    assert [server.ask() for _ in range(5)] == [b"hello"] * 5
    for connection in connections:
        connection.close()
    assert server.ask() == b"hello"


def client_hello() -> bytes:
    """What a phone says first over TLS."""
    said = ssl.MemoryBIO()
    with contextlib.suppress(ssl.SSLWantReadError):
        ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), said, server_hostname="127.0.0.1").do_handshake()
    return said.read()


def test_a_phone_that_stalls_inside_tls_leaves_threads_to_the_others(portal: Server) -> None:
    stalled = [portal.say(client_hello()) for _ in range(40)]  # five seconds of a thread each
    other = http.client.HTTPSConnection(
        "127.0.0.1",
        portal.port,
        timeout=30,
        context=ssl.create_default_context(cafile=str(portal.trust)),
        source_address=("127.0.0.2", 0),
    )
    other.request("POST", "/", b"hello")
    assert other.getresponse().read() == b"hello"
    other.close()
    for connection in stalled:
        connection.close()
    wait_for(lambda: portal.ask() == b"hello")


def test_clients_that_never_close_stop_nobody(server: Server) -> None:
    whole = HEAD + b"Connection: close\r\nContent-Length: 0\r\n\r\n"
    connections = [server.say(whole) for _ in range(20)]
    assert server.ask() == b"hello"
    for connection in connections:
        connection.close()


def test_a_request_in_many_pieces_and_a_large_one_arrive_whole(server: Server) -> None:
    assert server.ask(b"x" * 200_000) == b"x" * 200_000
    if server.trust:
        return
    connection = server.say(HEAD)
    for piece in (b"Content-Le", b"ngth: 6\r\n", b"\r\n", b"abc", b"def"):
        connection.sendall(piece)
        assert server.ask() == b"hello"
    answer = b""
    while not answer.endswith(b"abcdef"):
        answer += (piece := connection.recv(4096))
        assert piece, answer
    connection.close()


def test_what_needs_no_thread_is_answered_at_once_and_closed(server: Server) -> None:
    if server.trust:
        return  # TLS cannot be looked into
    for _ in range(100):
        connection = server.say(b"GET /now HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = b""
        while piece := connection.recv(4096):
            answer += piece
        assert answer.endswith(b"\r\n\r\nfast")
        connection.close()
    assert server.ask() == b"hello"


def test_the_quick_way_keeps_its_connection_and_shares_it_with_the_long_way(server: Server) -> None:
    asking = server.connect()
    for _ in range(3):
        asking.request("GET", "/quick")
        assert asking.getresponse().read() == b"127.0.0.1 " + (b"tls" if server.trust else b"plain")
        kept = asking.sock
        asking.request("POST", "/", b"long")
        assert asking.getresponse().read() == b"long"
        assert asking.sock is kept
    asking.request("GET", "/quick", headers={"Connection": "close"})
    assert asking.getresponse().read().startswith(b"127.0.0.1")
    assert asking.sock is None


def test_two_requests_in_one_breath_are_both_answered(server: Server) -> None:
    if server.trust:
        return
    connection = server.say(b"GET /quick HTTP/1.1\r\nHost: x\r\n\r\n")
    assert connection.recv(4096).endswith(b"plain")
    long_way = HEAD + b"Content-Length: 1\r\n\r\n"
    connection.sendall(long_way + b"a" + long_way + b"b")
    answer = b""
    while not answer.endswith(b"b"):
        answer += (piece := connection.recv(4096))
        assert piece, answer
    connection.close()


def test_a_kept_connection_serves_again(server: Server) -> None:
    asking = server.connect()
    for number in range(5):
        asking.request("POST", "/", f"{number}")
        assert asking.getresponse().read() == b"%d" % number
    asking.close()


@given(st.binary(max_size=60), st.sampled_from([b"content-length", b"Content-Length"]))
def test_a_request_is_whole_at_its_last_byte_and_not_before(body: bytes, name: bytes) -> None:
    whole = HEAD + name + b": %d\r\n\r\n" % len(body) + body
    assert missing(whole) == 0
    assert all(missing(whole[:end]) > 0 for end in range(len(whole)))


@given(st.binary(max_size=300))
def test_what_is_missing_is_never_negative(seen: bytes) -> None:
    assert missing(seen) >= 0
    assert missing_tls(seen) >= 0


@given(st.binary(max_size=300))
def test_a_tls_record_is_whole_at_its_last_byte(body: bytes) -> None:
    whole = b"\x16\x03\x01" + len(body).to_bytes(2, "big") + body
    assert missing_tls(whole) == 0
    assert all(missing_tls(whole[:end]) > 0 for end in range(len(whole)))


def test_an_answer_that_closes_is_the_last_of_its_connection(server: Server) -> None:
    asking = server.connect()
    for body, kept in ((b"hello", True), (b"goodbye", False)):
        asking.request("POST", "/", body)
        answer = asking.getresponse()
        assert answer.read() == body
        assert (answer.getheader("Connection"), asking.sock is not None) == ("keep-alive" if kept else "close", kept)
    asking.close()


SECRET = b"address=visitor@example.jp"
UNREADABLE = {
    "no request line": (SECRET + b"\r\n\r\n", 400),
    "a line too long": (b"GET /" + SECRET * 400 + b" HTTP/1.1\r\n\r\n", 414),
    "no header": (HEAD + SECRET + b"\r\n\r\n", 400),
    "a header too long": (HEAD + b"X: " + SECRET * 1000 + b"\r\n\r\n", 431),
    "an unknown coding": (HEAD + b"Transfer-Encoding: " + SECRET + b"\r\n\r\n", 400),
    "no length": (HEAD + b"Content-Length: -1\r\n\r\n" + SECRET, 400),
    "another expectation": (HEAD + b"Expect: " + SECRET + b"\r\n\r\n", 417),
}


@pytest.mark.parametrize(("sent", "status"), UNREADABLE.values(), ids=UNREADABLE)
def test_what_can_not_be_read_is_refused_and_nothing_of_it_is_logged(server: Server, sent: bytes, status: int) -> None:
    with server.open() as connection:
        connection.sendall(sent)
        told = b"".join(iter(lambda: connection.recv(65536), b""))
    assert told.startswith(b"HTTP/1.1 %d " % status)
    assert server.ask() == b"hello"
    log = server.log.read_bytes()
    assert [word for word in (b"visitor@", b"127.0.0.1", b"Invalid") if word in log] == []
