"""The OCSP responder as a source: asks, believes what is signed and fresh, and remembers it for the visit."""

from __future__ import annotations

import base64
import secrets
import threading
from collections import OrderedDict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal, Protocol
from urllib.parse import quote

from device.card.credential import TrustStore
from device.clock import Clock
from device.files import atomic_write
from kiosk.issuer.revocation.ocsp_messages import NONCE_BYTES, Answer, AnswerRefused, Question, read_answer
from kiosk.issuer.revocation.verdict import Status, Word

REMEMBERED = timedelta(minutes=10)
"""A visit's length: it is asked about once, not at each of its steps."""
MAX_REMEMBERED = 1000
SILENT_SECONDS = 5.0
"""After a question that nobody answered the next ones are not sent for so long."""
MAX_GET_BYTES = 255
"""RFC 6960 §A.1: beyond it, POST."""
Method = Literal["post", "get"]
Nonce = Literal["off", "asked", "required"]


class Exchange(Protocol):
    """How a question gets to the responder. Raises AnswerRefused."""

    def post(self, body: bytes) -> bytes:
        """The answer to a question."""
        ...

    def get(self, path: str) -> bytes:
        """The same for one in a path."""
        ...


class Responder:
    """RevocationSource. fresh: see RevocationSettings. worked: file whose text is when it last answered, for the grace
    after a restart; None: not kept. Safe across threads.
    """

    def __init__(
        self,
        exchange: Exchange,
        trust: TrustStore,
        fresh: timedelta,
        clock: Clock,
        *,
        method: Method = "post",
        nonce: Nonce = "asked",
        worked: Path | None = None,
    ) -> None:
        self._exchange, self._trust, self._fresh, self._clock = exchange, trust, fresh, clock
        self._method, self._nonce = method, nonce
        self._worked_file = worked
        self._worked = _moment(worked)
        self._answers: OrderedDict[tuple[str, int], tuple[datetime, Answer]] = OrderedDict()
        self._silent_until = 0.0
        self._lock = threading.Lock()

    def ask(self, issuer_key: str, serial: int) -> Word:
        """See RevocationSource."""
        kept = self._kept(issuer_key, serial)
        if kept and (kept[1].status is Status.REVOKED or self._clock.now() < kept[0] + REMEMBERED):
            return Word(kept[1].status, kept[1].good_until)
        try:
            answer = self._answer(issuer_key, serial)
        except AnswerRefused:
            if kept and kept[1].status is Status.GOOD:
                return Word(Status.GOOD, kept[1].good_until)
            return Word(Status.SILENT, self._worked + self._fresh if self._worked else None)
        self._remember(issuer_key, serial, answer)
        return Word(answer.status, answer.good_until)

    def _answer(self, issuer_key: str, serial: int) -> Answer:
        """Not asked when nobody was there a moment ago: one visit does not wait at each of its steps."""
        if self._clock.monotonic() < self._silent_until:
            raise AnswerRefused(reason="unreachable")
        try:
            return self.question(issuer_key, serial)
        except AnswerRefused as refused:
            if refused.facts["reason"] in ("late", "unreachable"):
                self._silent_until = self._clock.monotonic() + SILENT_SECONDS
            raise

    def question(self, issuer_key: str, serial: int) -> Answer:
        """Ask now, whatever is remembered. Raises AnswerRefused."""
        authority = self._trust.authority(issuer_key)
        if authority is None:
            raise AnswerRefused(reason="signer")
        required = self._nonce == "required"
        wanted = required or (self._nonce == "asked" and self._method == "post")  # GET is for answers made beforehand
        nonce = secrets.token_bytes(NONCE_BYTES) if wanted else None
        asked = Question(authority, serial, nonce, nonce_required=required)
        return read_answer(self._sent(asked.encoded()), asked, self._clock.now(), self._fresh)

    def _sent(self, request: bytes) -> bytes:
        path = quote(base64.b64encode(request).decode(), safe="")
        return self._exchange.get(path) if self._method == "get" and len(path) <= MAX_GET_BYTES else (
            self._exchange.post(request)
        )  # fmt: skip

    def _kept(self, issuer_key: str, serial: int) -> tuple[datetime, Answer] | None:
        with self._lock:
            return self._answers.get((issuer_key, serial))

    def _remember(self, issuer_key: str, serial: int, answer: Answer) -> None:
        now = self._clock.now()
        with self._lock:
            self._answers[issuer_key, serial] = (now, answer)
            while len(self._answers) > MAX_REMEMBERED:
                self._answers.popitem(last=False)
            if answer.status is not Status.UNKNOWN and (self._worked is None or now >= self._worked + REMEMBERED):
                self._worked = now
                if self._worked_file is not None:
                    atomic_write(self._worked_file, now.isoformat().encode(), mode=0o600, durable=False)


def _moment(worked: Path | None) -> datetime | None:
    try:
        found = datetime.fromisoformat(worked.read_text("ascii")) if worked else None
    except (OSError, ValueError):
        return None
    return found if found is None or found.tzinfo else None
