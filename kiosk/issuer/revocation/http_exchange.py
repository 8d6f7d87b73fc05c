"""A responder's URL, asked over HTTP within one deadline and one size (device/http_exchange.py)."""

from __future__ import annotations

import http.client
from urllib.parse import urlsplit

from device.http_exchange import Where, exchange
from device.network_reads import AnswerTooLarge
from kiosk.issuer.revocation.ocsp_messages import AnswerRefused

MAX_BODY_BYTES = 64 * 1024
"""A signed answer with its signer's certificate is some 3 kB."""


class HttpExchange:
    """Asks ``url`` (http). seconds: for one exchange in all. Safe across threads."""

    def __init__(self, url: str, seconds: float) -> None:
        parts = urlsplit(url)
        self._where = Where(parts.hostname or "", parts.port or 80)
        self._path, self._seconds = parts.path, seconds

    def post(self, body: bytes) -> bytes:
        """The answer's body. Raises AnswerRefused: unreachable, late, too_large, http."""
        return self._ask("POST", self._path or "/", body)

    def get(self, path: str) -> bytes:
        """The same for GET of ``path`` below the URL."""
        return self._ask("GET", f"{self._path.rstrip('/')}/{path}", None)

    def _ask(self, method: str, path: str, body: bytes | None) -> bytes:
        headers = {"Accept": "application/ocsp-response", "Connection": "close"}
        if body is not None:
            headers["Content-Type"] = "application/ocsp-request"
        try:
            answer = exchange(
                self._where, method, path, seconds=self._seconds, max_bytes=MAX_BODY_BYTES, body=body, headers=headers
            )
        except AnswerTooLarge as error:
            raise AnswerRefused(reason="too_large") from error
        except TimeoutError as error:
            raise AnswerRefused(reason="late") from error
        except http.client.HTTPException as error:
            raise AnswerRefused(reason="http") from error
        except OSError as error:
            raise AnswerRefused(reason="unreachable") from error
        if answer.status != http.client.OK or len(answer.headers.get_all("Content-Length", [])) > 1:
            raise AnswerRefused(reason="http")
        return answer.body
