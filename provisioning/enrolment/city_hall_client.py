"""Client of city hall's API: HTTPS against the city's own CA, with the box's credential where it has one."""

from __future__ import annotations

import gzip
import http.client
import ssl
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec

from device.clock import Clock
from device.outbox import Message
from device.sender import LineDown
from provisioning.cityhall.errors import EnrolmentRefused, NotEnrolled
from provisioning.cityhall.settings import CHAIN_HEADER, CityHallLinkSettings
from provisioning.enrolment.chain import chained_call
from provisioning.enrolment.identity import Identity

_MAX_ANSWER = 256 * 1024

T = TypeVar("T")


class EnrolmentStatus(msgspec.Struct, frozen=True):
    """City hall's answer, see provisioning.cityhall.boxes.box_api.EnrolAnswer."""

    enrolment: str
    box: str
    kind: str
    state: str
    certificate: str


class _Renewed(msgspec.Struct, frozen=True):
    certificate: str


class _Admitted(msgspec.Struct, frozen=True):
    boxes: dict[str, str]


class _Share(msgspec.Struct, frozen=True):
    share: str


class _Answers(msgspec.Struct, frozen=True):
    answers: dict[str, str]


class _Refused(msgspec.Struct, frozen=True):
    refused: str = "fault"


@dataclass(frozen=True)
class CityHallClient:
    """Calls. Each raises LineDown when there is no answer, EnrolmentRefused when the answer is no."""

    settings: CityHallLinkSettings
    state: Path
    identity: Identity
    clock: Clock

    def enrol(self, code: str, request: str) -> EnrolmentStatus:
        """Ask to be enrolled."""
        body = msgspec.json.encode({"code": code, "request": request})
        return _decoded(self._call(self.settings.enrol_port, "POST", "/api/v1/enrol", body), EnrolmentStatus)

    def enrolment(self, name: str) -> EnrolmentStatus:
        """The state of an enrolment."""
        return _decoded(self._call(self.settings.enrol_port, "GET", f"/api/v1/enrol/{name}"), EnrolmentStatus)

    def renew(self, request: str) -> str:
        """A fresh credential, PEM. Raises NotEnrolled too."""
        body = msgspec.json.encode({"request": request})
        return _decoded(self._call(self.settings.box_port, "POST", "/api/v1/renew", body), _Renewed).certificate

    def admitted(self) -> dict[str, str]:
        """The boxes that city hall admits: name -> hash of its key. Outside of the chain, whose file the issuer may not
        write. Raises NotEnrolled too.
        """
        return _decoded(self._exchange(self.settings.box_port, "GET", "/api/v1/boxes", b"", {})[0], _Admitted).boxes

    def register_volume(self, volume: str, key: str, recovery: str) -> str:
        """City hall's half of a volume's key (hex), made for this box."""
        body = msgspec.json.encode({"volume": volume, "key": key, "recovery": recovery})
        return _decoded(self._call(self.settings.box_port, "POST", "/api/v1/volume", body), _Share).share

    def volume_share(self, volume: str, folder: Path, sign: Callable[[str], str]) -> str:
        """The same at a start of the box. folder: holds the volume's chain; sign: HAVE/NEXT -> signature, base64."""
        with chained_call(folder) as call:
            question = {"volume": volume, "chain": call.header, "signature": sign(call.header)}
            body, port = msgspec.json.encode(question), self.settings.enrol_port
            answer, call.answered = self._exchange(port, "POST", "/api/v1/unlock", body, {})
            return _decoded(answer, _Share).share

    def post(self, batch: Sequence[Message]) -> Collection[str]:
        """See device.sender.Post. A box that city hall refuses, or that is not enrolled, has no line."""
        messages = [
            {"id": m.id, "kind": m.kind, "at": m.at, "count": m.count, "facts": m.facts} for m in batch
        ]  # fmt: skip
        plain = msgspec.json.encode({"sent_at": max(int(self.clock.now().timestamp()), 0), "messages": messages})
        try:
            answer = self._call(
                self.settings.box_port, "POST", "/api/v1/messages", gzip.compress(plain), {"Content-Encoding": "gzip"}
            )
            return _decoded(answer, _Answers).answers.keys()
        except (EnrolmentRefused, NotEnrolled) as error:
            raise LineDown(reason=error.facts.get("reason", error.code)) from error

    def _call(self, port: int, method: str, path: str, body: bytes = b"", more: dict[str, str] | None = None) -> bytes:
        if port != self.settings.box_port:
            return self._exchange(port, method, path, body, more or {})[0]
        with chained_call(self.identity.folder) as call:
            headers = {**(more or {}), CHAIN_HEADER: call.header}
            answer, call.answered = self._exchange(port, method, path, body, headers)
            return answer

    def _exchange(self, port: int, method: str, path: str, body: bytes, more: dict[str, str]) -> tuple[bytes, str]:
        """(answer, city hall's word for the chain)."""
        context = self._tls(with_credential=port == self.settings.box_port)
        connection = http.client.HTTPSConnection(
            self.settings.host, port, timeout=self.settings.timeout_seconds, context=context
        )
        try:
            connection.request(method, path, body or None, {"Content-Type": "application/json", **more})
            response = connection.getresponse()
            status, answer = response.status, response.read(_MAX_ANSWER)
        except (OSError, http.client.HTTPException) as error:
            raise LineDown(reason=_why(error)) from error
        finally:
            connection.close()
        if status == http.client.OK:
            return answer, response.getheader(CHAIN_HEADER, "")
        if status >= 500:
            raise LineDown(reason=f"status_{status}")
        raise EnrolmentRefused(reason=_refusal(answer))

    def _tls(self, *, with_credential: bool) -> ssl.SSLContext:
        try:
            context = ssl.create_default_context(cafile=str(self.state / self.settings.ca))
        except (OSError, ssl.SSLError) as error:
            raise NotEnrolled(file=self.state / self.settings.ca) from error
        if with_credential:
            try:
                context.load_cert_chain(self.identity.certificate_file, self.identity.key_file)
            except (OSError, ssl.SSLError) as error:
                raise NotEnrolled(file=self.identity.certificate_file) from error
        return context


def _decoded(answer: bytes, schema: type[T]) -> T:
    try:
        return msgspec.json.decode(answer, type=schema)
    except msgspec.DecodeError as error:
        raise LineDown(reason="answer_malformed") from error


def _why(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return "server_not_trusted"
    if isinstance(error, ssl.SSLError):
        return "tls_refused"
    return "timeout" if isinstance(error, TimeoutError) else type(error).__name__


def _refusal(answer: bytes) -> str:
    try:
        return msgspec.json.decode(answer, type=_Refused).refused
    except msgspec.DecodeError:
        return "fault"
