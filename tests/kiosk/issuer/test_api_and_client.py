"""Bad input at the issuer's door, and a client that meets bad answers."""

from __future__ import annotations

import socket
import sqlite3
import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from flask.testing import FlaskClient

from device.clock import JST, HeldClock
from device.logs import open_log
from device.version import version
from kiosk.issuer import protocol as p
from kiosk.issuer.api import create_app
from kiosk.issuer.client import HttpIssuerClient
from kiosk.issuer.errors import IssuerBroken, IssuerUnreachable
from kiosk.issuer.memory import MemoryIssuer
from kiosk.issuer.port import IssuerPort
from kiosk.issuer.settings import IssuerSettings
from kiosk.issuer.wiring import build_issuer
from kiosk.settings import CitySettings

if TYPE_CHECKING:
    from device.card.virtual.pki import TestPki


HEALTH = f"/{p.VERSION}/health"


def _anybody(issuer: IssuerPort) -> Callable[[str], IssuerPort]:
    return lambda _kiosk: issuer


@pytest.fixture
def door() -> FlaskClient:
    return create_app(
        _anybody(MemoryIssuer()), lambda _environ: "kiosk-1", open_log("issuer", StringIO())
    ).test_client()


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"visit": 1}', b'{"visit": "12345678", "more": 1}'),
        *(
            b'{"visit": "\\ud800"}',
            b'{"visit": "short"}',
            b'{"visit": "%b"}' % (b"a" * 65),
            b'{"visit": "12345678/.."}',
        ),
    ],
)
def test_bad_input_is_answered_with_a_code(door: FlaskClient, body: bytes) -> None:
    answer = door.post("/v3/requests/request-1/document", data=body)
    assert (answer.status_code, answer.json) == (400, {"code": "request.malformed"})


def test_unknown_paths_methods_and_huge_bodies_have_codes(door: FlaskClient) -> None:
    assert door.get("/v3/nothing").json == {"code": "path.unknown"}
    assert door.get("/v3/challenge").json == {"code": "method.not_allowed"}
    huge = door.post("/v3/authenticate", data=b"x" * 70_000)
    assert (huge.status_code, huge.json) == (413, {"code": "request.too_large"})
    unknown = door.post("/v3/requests/none-such/document", data=b'{"visit":"12345678"}')
    assert (unknown.status_code, unknown.json) == (404, {"code": "request.unknown"})


@pytest.mark.parametrize("path", ["/v1/health", "/v2/health", "/v2/challenge"])
def test_a_kiosk_of_an_earlier_release_is_told_so_already_when_it_asks_for_health(door: FlaskClient, path: str) -> None:
    answers = door.get(path), door.post(path, data=b'{"kiosk": "kiosk-1"}')
    assert {answer.status_code for answer in answers} == {410}
    assert [answer.json for answer in answers] == [{"code": "protocol.retired"}] * 2


def test_nothing_may_be_cached(door: FlaskClient) -> None:
    assert door.post("/v3/challenge").headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [(ValueError("辻 浩一"), 500, "issuer.fault"), (sqlite3.OperationalError("辻 浩一"), 503, "store.unusable")],
)
def test_a_fault_is_logged_by_kind_and_place_and_never_by_message(error: Exception, status: int, code: str) -> None:
    class Failing(MemoryIssuer):
        def health(self) -> p.Health:
            raise error

    log = StringIO()
    answer = (
        create_app(_anybody(Failing()), lambda _environ: "kiosk-1", open_log("issuer", log)).test_client().get(HEALTH)
    )
    assert (answer.status_code, answer.json) == (status, {"code": code})
    assert type(error).__name__ in log.getvalue()
    assert "辻" not in log.getvalue()


def test_the_wired_issuer_serves_and_says_it_is_not_ready_without_residents(pki: TestPki, tmp_path: Path) -> None:
    settings = IssuerSettings(mayor="摂津市長　見本　太郎", municipality_code="27999", trust=str(pki.trust))
    city = CitySettings(name_ja="摂津市", name_en="Settsu", telephone="06-0000-0000")
    clock = HeldClock(datetime(2026, 11, 23, tzinfo=JST))
    log = open_log("issuer", StringIO())
    app = build_issuer(settings, city, tmp_path, clock=clock, log=log, who_asks=lambda _environ: "kiosk-1")
    assert app.test_client().get(HEALTH).json == {"ready": False, "version": version()}


def test_nobody_listening_is_unreachable() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        client = HttpIssuerClient(f"http://127.0.0.1:{held.getsockname()[1]}", 2.0)
        with pytest.raises(IssuerUnreachable):
            client.health()


@pytest.fixture
def parrot() -> Iterator[tuple[HttpIssuerClient, list[bytes]]]:
    """A server that answers every connection with the next of the given bytes, then closes it."""
    listener, answers = socket.create_server(("127.0.0.1", 0)), list[bytes]()

    def run() -> None:
        while True:
            connection, _ = listener.accept()
            with connection:
                if not answers:
                    return
                connection.recv(65536)
                connection.sendall(answers.pop(0))

    thread = threading.Thread(target=run)
    thread.start()
    port = listener.getsockname()[1]
    client = HttpIssuerClient(f"http://127.0.0.1:{port}", 5.0)
    yield client, answers
    answers.clear()
    socket.create_connection(("127.0.0.1", port)).close()
    thread.join()
    client.close()
    listener.close()


def _http(body: bytes, status: str = "200 OK") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


@pytest.mark.parametrize(
    "answer",
    [_http(b"{"), _http(b'{"ready": 1}'), _http(b"<html>", "502 Bad Gateway"), b"nonsense\r\n\r\n"],
)
def test_an_answer_that_is_not_the_protocol_is_a_broken_issuer(
    parrot: tuple[HttpIssuerClient, list[bytes]], answer: bytes
) -> None:
    client, answers = parrot
    answers.append(answer)
    with pytest.raises(IssuerBroken):
        client.health()


def test_an_answer_cut_short_is_no_answer(parrot: tuple[HttpIssuerClient, list[bytes]]) -> None:
    client, answers = parrot
    answers.append(_http(b'{"ready": true, "version": "1"}')[:-5])
    with pytest.raises((IssuerBroken, IssuerUnreachable)):
        client.health()


def test_a_kept_connection_that_the_server_closed_is_replaced(parrot: tuple[HttpIssuerClient, list[bytes]]) -> None:
    client, answers = parrot
    good = _http(b'{"ready": true, "version": "1"}')
    answers.extend([good, good, good])
    assert [client.health().ready for _ in range(3)] == [True, True, True]
