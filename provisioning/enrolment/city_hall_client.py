"""Client of city hall's API: HTTPS against the city's own CA, with the box's credential where it has one."""

from __future__ import annotations

import gzip
import ssl
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TypeVar

import msgspec

from device.audit_chain import ChainEnd
from device.clock import Clock
from device.http_exchange import NO_HTTP, Where, exchange
from device.network_reads import AnswerTooLarge
from device.outbox import Message
from device.sender import LineDown
from provisioning.cityhall.errors import EnrolmentRefused, NotEnrolled
from provisioning.cityhall.settings import CHAIN_HEADER, CityHallLinkSettings
from provisioning.doctor.audits import keep_heads
from provisioning.enrolment.chain import Call, boot_id, chained_call
from provisioning.enrolment.identity import Identity

_MAX_ANSWER = 256 * 1024
_MIN_RATE = 2048
"""Bytes a second that earn further time: a batch of messages over a thin line is no fault."""

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
    audits: dict[str, tuple[int, str]] = {}


class _Refused(msgspec.Struct, frozen=True):
    refused: str = "fault"


@dataclass(frozen=True)
class CityHallClient:
    """Calls. Each raises LineDown when there is no answer, EnrolmentRefused when the answer is no."""

    settings: CityHallLinkSettings
    state: Path
    identity: Identity
    clock: Clock
    started: Callable[[], str] = boot_id

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
        """The boxes that city hall admits: name -> hash of its key. Raises NotEnrolled too."""
        return _decoded(self._call(self.settings.box_port, "GET", "/api/v1/boxes"), _Admitted).boxes

    def register_volume(self, volume: str, key: str, recovery: str) -> str:
        """City hall's half of a volume's key (hex), made for this box."""
        body = msgspec.json.encode({"volume": volume, "key": key, "recovery": recovery})
        return _decoded(self._call(self.settings.box_port, "POST", "/api/v1/volume", body), _Share).share

    def volume_share(self, volume: str, folder: Path, sign: Callable[[str], str]) -> str:
        """The same at a start of the box. folder: holds the volume's chain; sign: HAVE/NEXT -> signature, base64."""
        with self._chained(folder) as call:
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
            told = _decoded(answer, _Answers)
            keep_heads(self.state, {part: ChainEnd(*end) for part, end in told.audits.items()})
            return told.answers.keys()
        except (EnrolmentRefused, NotEnrolled) as error:
            raise LineDown(reason=error.facts.get("reason", error.code)) from error

    def _call(self, port: int, method: str, path: str, body: bytes = b"", more: dict[str, str] | None = None) -> bytes:
        if port != self.settings.box_port:
            return self._exchange(port, method, path, body, more or {})[0]
        with self._chained(self.identity.folder) as call:
            headers = {**(more or {}), CHAIN_HEADER: call.header}
            answer, call.answered = self._exchange(port, method, path, body, headers)
            return answer

    def _chained(self, folder: Path) -> AbstractContextManager[Call]:
        return chained_call(folder, max(int(self.clock.now().timestamp()), 0), self.started())

    def _exchange(self, port: int, method: str, path: str, body: bytes, more: dict[str, str]) -> tuple[bytes, str]:
        """(answer, city hall's word for the chain)."""
        context = self._tls(with_credential=port == self.settings.box_port)
        try:
            answer = exchange(
                Where(self.settings.host, port, context),
                method,
                path,
                seconds=self.settings.timeout_seconds,
                max_bytes=_MAX_ANSWER,
                body=body or None,
                headers={"Content-Type": "application/json", **more},
                min_rate=_MIN_RATE,
            )
        except NO_HTTP as error:
            raise LineDown(reason=_why(error)) from error
        if answer.status == HTTPStatus.OK:
            return answer.body, answer.header(CHAIN_HEADER)
        if answer.status >= 500:
            raise LineDown(reason=f"status_{answer.status}")
        raise EnrolmentRefused(reason=_refusal(answer.body))

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
    if isinstance(error, AnswerTooLarge):
        return "answer_too_large"
    return "timeout" if isinstance(error, TimeoutError) else type(error).__name__


def _refusal(answer: bytes) -> str:
    try:
        return msgspec.json.decode(answer, type=_Refused).refused
    except msgspec.DecodeError:
        return "fault"
