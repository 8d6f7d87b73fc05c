"""How a kiosk reaches its issuer: what it refuses to speak to, and a credential that is replaced."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest

from kiosk.issuer.client import HttpIssuerClient
from kiosk.issuer.connection import LOCAL_SOCKET, CredentialFiles, connector_of, link_of, means_own_issuer
from kiosk.issuer.errors import IssuerUnreachable, LinkInsecure

FILES = CredentialFiles(Path("ca"), Path("box"), Path("key"))


@pytest.mark.parametrize(
    "url",
    [
        *(
            "http://192.0.2.5:8101",
            "http://issuer.example.jp:8101",
            "http://127.0.0.1.example.jp",
            "http://[2001:db8::1]",
        ),
        *("http://localhost.example.jp", "ftp://127.0.0.1", "", "issuer.example.jp", "https://"),
        *("HTTP://192.0.2.5", "http://127.0.0.1@192.0.2.5", "http://2130706433.example"),
    ],
)
def test_nothing_but_https_leaves_the_box(url: str) -> None:
    with pytest.raises(LinkInsecure):
        connector_of(url, FILES)


def test_https_needs_a_credential() -> None:
    with pytest.raises(LinkInsecure):
        connector_of("https://issuer.example.jp:8101")


@pytest.mark.parametrize("url", ["", "http://127.0.0.1:8101", "http://[::1]:8101", "http://localhost:8101"])
def test_no_url_and_plain_loopback_mean_the_issuer_of_this_box(url: str, tmp_path: Path) -> None:
    assert means_own_issuer(url)
    assert link_of(url, tmp_path) == f"unix:{tmp_path / LOCAL_SOCKET}"


def test_a_box_without_its_credential_has_no_issuer(tmp_path: Path) -> None:
    missing = CredentialFiles(tmp_path / "ca", tmp_path / "box", tmp_path / "key")
    with pytest.raises(IssuerUnreachable):
        HttpIssuerClient("https://127.0.0.1:1", 1.0, missing).health()


def test_the_socket_of_an_issuer_that_does_not_run_is_unreachable(tmp_path: Path) -> None:
    with pytest.raises(IssuerUnreachable):
        HttpIssuerClient(f"unix:{tmp_path / 'none.sock'}", 1.0).health()


def test_a_connection_of_a_former_credential_is_not_used_again(tmp_path: Path) -> None:
    """The stamp of three files changes when any of them does."""
    files = CredentialFiles(*(tmp_path / name for name in ("ca", "box", "key")))
    connector = connector_of("https://127.0.0.1:1", files)
    before = connector.stamp()
    for file in files:
        file.write_text("one")
        after = connector.stamp()
        assert after != before
        before = after


def test_by_a_socket_the_protocol_is_the_same(tmp_path: Path) -> None:
    path, body = tmp_path / "s", b'{"ready": true, "version": "1"}'
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()

    def answer() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    thread = threading.Thread(target=answer)
    thread.start()
    assert HttpIssuerClient(f"unix:{path}", 5.0).health().ready
    thread.join()
    listener.close()
