"""A rogue kiosk: a machine that speaks to the issuer and is not, or no longer, one of the city's kiosks.

``python -m tests.attacks.rogue_kiosk WHERE [--ca FILE --certificate FILE --key FILE]`` tries to get a nonce there, by
HTTPS at host:port or at a unix socket, with every header that names another box, and prints what it met as JSON.
"""

from __future__ import annotations

import argparse
import http.client
import json
import socket
import ssl
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from kiosk.issuer import protocol as p

SLOW_HEAD = (
    b"POST /v3/authenticate HTTP/1.1\r\nHost: issuer\r\nContent-Type: application/json\r\nContent-Length: 4000\r\n\r\n"
)
PATHS = (
    ("GET", "/v3/health"),
    ("POST", "/v3/challenge"),
    ("POST", "/v3/authenticate"),
    ("POST", "/v3/requests"),
    ("POST", "/v3/requests/0198c0de-0000-7000-8000-000000000001/document"),
    ("POST", "/v3/requests/0198c0de-0000-7000-8000-000000000001/outcome"),
)
"""Every call of the protocol."""
NONE: Mapping[str, str] = {}


@dataclass
class RogueKiosk:
    """where: "host:port", or the path of a unix socket. certificate, key: what it shows, if anything."""

    where: str
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    kept: http.client.HTTPConnection | None = field(default=None, repr=False)

    def connection(self) -> http.client.HTTPConnection:
        """A new connection."""
        if self.where.startswith("/"):
            made = http.client.HTTPConnection("issuer", timeout=20)
            made.sock = socket.socket(socket.AF_UNIX)
            made.sock.settimeout(20)
            made.sock.connect(self.where)
            return made
        host, _, port = self.where.rpartition(":")
        return http.client.HTTPSConnection(host, int(port), timeout=20, context=self._tls())

    def _tls(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(self.ca) if self.ca else None)
        if self.certificate and self.key:
            context.load_cert_chain(self.certificate, self.key)
        return context

    def ask(
        self, method: str, path: str, body: object = b"", headers: Mapping[str, str] = NONE, *, keep: bool = False
    ) -> tuple[int, dict[str, object]]:
        """(status, JSON answer). body: bytes as they are, anything else as JSON. keep: on one connection."""
        asking = (self.kept or self.connection()) if keep else self.connection()
        self.kept = asking if keep else self.kept
        try:
            sent = body if isinstance(body, bytes) else json.dumps(body).encode()
            asking.request(method, path, sent, {"Content-Type": "application/json", **headers})
            answer = asking.getresponse()
            text = answer.read()
        finally:
            if not keep:
                asking.close()
        return answer.status, json.loads(text) if text.startswith(b"{") else {}

    def outcome_of_all(self, headers: Mapping[str, str] = NONE) -> set[tuple[int, object]]:
        """(status, code) that every call of the protocol meets."""
        met = set()
        for method, path in PATHS:
            status, answer = self.ask(method, path, b"", headers)
            met.add((status, answer.get("code")))
        return met

    def half_a_body(self) -> ssl.SSLSocket | socket.socket:
        """A connection that has sent the head of a request, and then one byte of its body now and then."""
        connection = self.connection()
        connection.connect()
        assert connection.sock is not None
        connection.sock.sendall(SLOW_HEAD + b"{")
        return connection.sock


def spoofed(certificate: Path) -> dict[str, str]:
    """Every header by which nginx, or another proxy, tells an application who asks."""
    pem = certificate.read_text("ascii")
    names = {name: quote(pem) for name in ("X-Hiroba-Credential", "X-SSL-Client-Cert", "X-Forwarded-Client-Cert")}
    return {
        **names,
        "X-Hiroba-Admitted": "1",
        "X-Hiroba-Listener": "kiosks",
        "X-Real-IP": "127.0.0.1",
        "Kiosk": "plaza-1",
    }


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser()
    parser.add_argument("where")
    for name in ("ca", "certificate", "key"):
        parser.add_argument(f"--{name}", type=Path)
    said = parser.parse_args()
    rogue = RogueKiosk(said.where, said.ca, said.certificate, said.key)
    try:
        headers = spoofed(said.certificate) if said.certificate else {"X-Hiroba-Admitted": "1"}
        status, answer = rogue.ask("POST", f"/{p.VERSION}/challenge", b"", headers)
    except OSError as error:
        sys.stdout.write(json.dumps({"met": type(error).__name__}))
    else:
        sys.stdout.write(json.dumps({"met": status, "answer": answer}))


if __name__ == "__main__":
    main()
