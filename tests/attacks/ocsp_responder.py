"""An OCSP responder of the tests' own, as a program: kind, or unkind in every way that an answer can be.

python -m tests.attacks.ocsp_responder PKI MODE      prints its port, answers until it is ended
"""

from __future__ import annotations

import base64
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from urllib.parse import unquote

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from device.card.virtual.pki import TestPki, load_card_key
from device.clock import Clock, SystemClock

HOUR = timedelta(hours=1)
STATUS = {
    "revoked": ocsp.OCSPCertStatus.REVOKED,
    "unknown": ocsp.OCSPCertStatus.UNKNOWN,
}
SILENT_MODES = ("late", "dripping", "closed", "endless", "huge", "http_500", "html", "two_lengths", "try_later", "cut")
"""No answer that could be read at all."""
FORGED_MODES = (
    "unsigned", "wrong_signer", "other_generation", "card_signs", "delegate_for_nothing", "delegate_expired",
    "wrong_serial", "stale", "future", "other_nonce",
)  # fmt: skip
"""An answer that says "good" and must not be believed."""


class OcspResponder:
    """On a free port of loopback, in threads of this process; ``with`` it. mode may be changed while it runs."""

    def __init__(self, pki: TestPki, mode: str = "good", clock: Clock | None = None) -> None:
        self.mode, self.asked = mode, 0
        self._pki, self._clock = pki, clock or SystemClock()
        self._door = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._over = threading.Event()
        self._threads: list[threading.Thread] = []

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self._door.getsockname()[1]}/ocsp"

    def __enter__(self) -> OcspResponder:
        self._start(self._serve)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """It is down: connections are refused from now on."""
        self._over.set()
        with suppress(OSError):
            self._door.shutdown(socket.SHUT_RDWR)
        self._door.close()
        for thread in self._threads:
            thread.join(10)

    def _start(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _serve(self) -> None:
        while not self._over.is_set():
            try:
                line, _ = self._door.accept()
            except OSError:
                return
            self._start(lambda line=line: self._answer(line))  # type: ignore[misc]  # bound now, not later

    def _answer(self, line: socket.socket) -> None:
        with line, suppress(OSError):
            line.settimeout(10)
            request = ocsp.load_der_ocsp_request(_request(line))
            self.asked += 1
            self._send(line, request)

    def _send(self, line: socket.socket, request: ocsp.OCSPRequest) -> None:
        mode = self.mode
        if mode == "late":
            self._over.wait(30)
        elif mode == "dripping":
            for byte in _http(self.response(request)):
                line.sendall(bytes([byte]))
                if self._over.wait(0.02):
                    return
        elif mode == "endless":
            line.sendall(b"HTTP/1.0 200 OK\r\n\r\n")
            while not self._over.is_set():
                line.sendall(b"\0" * 65536)
        elif mode == "huge":
            line.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: 99999999999\r\n\r\n" + b"\0" * 1000)
            self._over.wait(30)
        elif mode in _RAW:
            line.sendall(_RAW[mode](self.response(request)))

    def response(self, request: ocsp.OCSPRequest) -> bytes:
        """DER, by the mode."""
        if self.mode == "try_later":
            return ocsp.OCSPResponseBuilder.build_unsuccessful(ocsp.OCSPResponseStatus.TRY_LATER).public_bytes(
                Encoding.DER
            )
        now = self._clock.now().astimezone(UTC).replace(microsecond=0)
        shift = {"stale": -72 * HOUR, "future": 24 * HOUR}.get(self.mode, -HOUR / 60)
        status = STATUS.get(self.mode, ocsp.OCSPCertStatus.GOOD)
        builder = ocsp.OCSPResponseBuilder().add_response_by_hash(
            request.issuer_name_hash,
            request.issuer_key_hash,
            request.serial_number + (1 if self.mode == "wrong_serial" else 0),
            hashes.SHA1(),  # noqa: S303 - the name of a CA in the request, as asked
            status,
            now + shift,
            now + shift + 24 * HOUR,
            now - HOUR if status is ocsp.OCSPCertStatus.REVOKED else None,
            None,
        )
        certificate, key = self._signer(now)
        by_name = self.mode in ("wrong_signer", "other_generation")
        encoding = ocsp.OCSPResponderEncoding.NAME if by_name else ocsp.OCSPResponderEncoding.HASH
        builder = builder.responder_id(encoding, certificate)
        if self.mode.startswith(("delegate", "card")):
            builder = builder.certificates([certificate])
        if (nonce := self._nonce(request)) is not None:
            builder = builder.add_extension(x509.OCSPNonce(nonce), critical=False)
        encoded = builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)
        return encoded if self.mode != "unsigned" else encoded[:-40] + b"\x5a" * 40

    def _nonce(self, request: ocsp.OCSPRequest) -> bytes | None:
        if self.mode == "no_nonce":
            return None
        if self.mode == "other_nonce":
            return b"\x01" * 32
        try:
            return request.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce
        except x509.ExtensionNotFound:
            return None

    def _signer(self, now: datetime) -> tuple[x509.Certificate, rsa.RSAPrivateKey]:
        authority, key = self._authority("auth-2")
        if self.mode == "wrong_signer":
            return self._authority("auth-unknown")  # of the very name of the CA
        if self.mode == "other_generation":
            return self._authority("auth-1")
        if self.mode == "card_signs":
            folder = self._pki.cards / "demo"
            return x509.load_der_x509_certificate((folder / "auth.der").read_bytes()), load_card_key(
                folder / "auth.key"
            )
        if self.mode.startswith("delegate"):
            return self._delegate(authority, key, now)
        return authority, key

    def _authority(self, stem: str) -> tuple[x509.Certificate, rsa.RSAPrivateKey]:
        file = self._pki.folder / "ca" / stem
        certificate = x509.load_pem_x509_certificate(file.with_suffix(".pem").read_bytes())
        return certificate, load_card_key(file.with_suffix(".key"))

    def _delegate(
        self, authority: x509.Certificate, key: rsa.RSAPrivateKey, now: datetime
    ) -> tuple[x509.Certificate, rsa.RSAPrivateKey]:
        purpose = ExtendedKeyUsageOID.OCSP_SIGNING
        if self.mode == "delegate_for_nothing":
            purpose = ExtendedKeyUsageOID.SERVER_AUTH
        end = now - HOUR if self.mode == "delegate_expired" else now + 24 * HOUR
        own = load_card_key(self._pki.cards / "demo" / "auth.key")
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "TEST OCSP")]))
            .issuer_name(authority.subject)
            .public_key(own.public_key())
            .serial_number(77)
            .not_valid_before(now - 48 * HOUR)
            .not_valid_after(end)
            .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        )
        return builder.sign(key, hashes.SHA256()), own


def _request(line: socket.socket) -> bytes:
    got = b""
    while b"\r\n\r\n" not in got:
        got += line.recv(4096) or b"\r\n\r\n"
    head, _, body = got.partition(b"\r\n\r\n")
    first = head.split(b"\r\n")[0].decode()
    if first.startswith("GET"):
        return base64.b64decode(unquote(first.split()[1].rsplit("/", 1)[1]))
    length = next(int(h.split(b":")[1]) for h in head.split(b"\r\n") if h.lower().startswith(b"content-length"))
    while len(body) < length:
        body += line.recv(4096)
    return body


def _http(body: bytes, status: str = "200 OK", extra: str = "") -> bytes:
    return f"HTTP/1.0 {status}\r\nContent-Length: {len(body)}\r\n{extra}\r\n".encode() + body


_RAW: dict[str, Callable[[bytes], bytes]] = {
    "closed": lambda _body: b"",
    "http_500": lambda body: _http(body, "500 Broken"),
    "html": lambda _body: _http(b"<html>Please log in</html>"),
    "two_lengths": lambda body: _http(body, extra="Content-Length: 3\r\n"),
    "cut": lambda body: _http(body)[:-100],
    "without_length": lambda body: b"HTTP/1.1 200 OK\r\n\r\n" + body,
}
for _plain in ("good", "revoked", "unknown", "no_nonce", "delegate", "try_later", *FORGED_MODES):
    _RAW[_plain] = _http


if __name__ == "__main__":
    with OcspResponder(TestPki(Path(sys.argv[1])), sys.argv[2]) as running:
        print(running.url, flush=True)  # noqa: T201 - a program
        while True:
            time.sleep(60)
