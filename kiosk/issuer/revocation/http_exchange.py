"""One HTTP exchange with a total deadline and a size limit, for a peer that nobody here trusts.

HTTP/1.0, so the answer is neither chunked nor compressed and ends with its length or its connection. A deadline for the
whole holds against an answer that drips. Looking up the name counts in: it is done by a thread that may be left behind.
"""

from __future__ import annotations

import socket
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from urllib.parse import SplitResult, urlsplit

from device.clock import Clock, SystemClock
from kiosk.issuer.revocation.ocsp_messages import AnswerRefused

MAX_HEAD_BYTES = 8 * 1024
MAX_BODY_BYTES = 64 * 1024
"""A signed answer with its signer's certificate is some 3 kB."""
MAX_AT_ONCE = 4


class HttpExchange:
    """Asks ``url`` (http). seconds: for one exchange in all. Safe across threads; ``close`` ends its threads."""

    def __init__(self, url: str, seconds: float, clock: Clock | None = None) -> None:
        self._url = urlsplit(url)
        self._seconds = seconds
        self._clock = clock or SystemClock()
        self._pool = ThreadPoolExecutor(max_workers=MAX_AT_ONCE, thread_name_prefix="ocsp")

    def post(self, body: bytes) -> bytes:
        """The answer's body. Raises AnswerRefused: unreachable, late, too_large, http."""
        head = ["Content-Type: application/ocsp-request", f"Content-Length: {len(body)}"]
        return self._run(_request("POST", self._url, self._url.path or "/", head) + body)

    def get(self, path: str) -> bytes:
        """The same for GET of ``path`` below the URL."""
        return self._run(_request("GET", self._url, f"{self._url.path.rstrip('/')}/{path}", []))

    def close(self) -> None:
        """End the threads; one that waits for a name is left to itself."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _run(self, request: bytes) -> bytes:
        end = self._clock.monotonic() + self._seconds
        running: Future[bytes] = self._pool.submit(self._exchange, request, end)
        try:
            return running.result(timeout=self._seconds)
        except FutureTimeout as error:
            running.cancel()
            raise AnswerRefused(reason="late") from error

    def _exchange(self, request: bytes, end: float) -> bytes:
        try:
            place = (self._url.hostname or "", self._url.port or 80)
            with socket.create_connection(place, timeout=self._left(end)) as line:
                line.sendall(request)
                return _body(self._received(line, end))
        except TimeoutError as error:
            raise AnswerRefused(reason="late") from error
        except OSError as error:
            raise AnswerRefused(reason="unreachable") from error

    def _received(self, line: socket.socket, end: float) -> bytes:
        """Head and body. Ends at the stated length, at the end of the connection, or with AnswerRefused."""
        got, wanted, body_at = bytearray(), MAX_HEAD_BYTES + MAX_BODY_BYTES, -1
        while len(got) < wanted:
            line.settimeout(self._left(end))
            piece = line.recv(16 * 1024)
            if not piece:
                return bytes(got)
            got += piece
            if body_at < 0 and (body_at := _end_of_head(got, len(piece))) >= 0:
                length = _length(bytes(got[:body_at]))
                wanted = wanted if length is None else body_at + length
        if len(got) >= MAX_HEAD_BYTES + MAX_BODY_BYTES:
            raise AnswerRefused(reason="too_large")
        return bytes(got)

    def _left(self, end: float) -> float:
        left = end - self._clock.monotonic()
        if left <= 0:
            raise AnswerRefused(reason="late")
        return left


def _request(method: str, url: SplitResult, target: str, head: list[str]) -> bytes:
    lines = [f"{method} {target} HTTP/1.0", f"Host: {url.netloc}", "Accept: application/ocsp-response", *head]
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode("ascii")


def _end_of_head(got: bytearray, new: int) -> int:
    """Where the body begins, -1 while the head goes on. new: bytes that were not looked at yet."""
    gap = got.find(b"\r\n\r\n", max(0, len(got) - new - 3))
    if gap < 0 and len(got) > MAX_HEAD_BYTES:
        raise AnswerRefused(reason="too_large")
    return gap + 4 if gap >= 0 else -1


def _body(got: bytes) -> bytes:
    head, gap, body = got.partition(b"\r\n\r\n")
    first = head.split(b"\r\n", 1)[0].split()
    if not gap or len(first) < 2 or not first[0].startswith(b"HTTP/1.") or first[1] != b"200":
        raise AnswerRefused(reason="http")
    if b"transfer-encoding" in head.lower() or b"content-encoding" in head.lower():
        raise AnswerRefused(reason="http")
    length = _length(head)
    if length is not None and len(body) < length:
        raise AnswerRefused(reason="http")
    return body if length is None else body[:length]


def _length(head: bytes) -> int | None:
    """Content-Length, or None. Raises AnswerRefused when it is no number, too much, or there are two."""
    lines = [line.partition(b":") for line in head.split(b"\r\n")[1:]]
    told = [value.strip() for name, _, value in lines if name.strip().lower() == b"content-length"]
    if not told:
        return None
    if len(told) > 1 or not told[0].isdigit() or len(told[0]) > 12:
        raise AnswerRefused(reason="http")
    if int(told[0]) > MAX_BODY_BYTES:
        raise AnswerRefused(reason="too_large")
    return int(told[0])
