"""The short way of the first page and its log-in form: from a request's bytes to an answer's, without parser, WSGI and
Flask, which cost more than the page itself. The pages are the same objects; what is unusual goes the long way.
"""

from __future__ import annotations

from http import HTTPStatus

from captive_portal.portal.asked import Answer, Asked
from captive_portal.portal.guards import GUARDS, NO_STORE
from captive_portal.portal.http_date import HttpDate
from captive_portal.portal.pages import Pages
from captive_portal.portal.plain_request import read_plain_request
from captive_portal.portal.redirect import Origins, plain_ip
from captive_portal.portal.trouble import Trouble


class Quick:
    """``quick(raw, ip, tls)``: the bytes of the answer and whether the connection goes on, or None."""

    def __init__(self, pages: Pages, origins: Origins, trouble: Trouble) -> None:
        self._origins = origins
        self._trouble = trouble
        self._date = HttpDate()
        self._views = {("GET", "/"): pages.home, ("POST", "/login"): pages.login}

    def __call__(self, raw: bytes, ip: str, tls: bool) -> tuple[bytes, bool] | None:
        """See the class."""
        plain = read_plain_request(raw)
        view = self._views.get((plain.method, plain.path)) if plain else None
        if plain is None or view is None or plain.host.lower() not in self._origins.hosts:
            return None
        asked = Asked(
            method=plain.method,
            path=plain.path,
            ip=plain_ip(ip),
            secure=tls,
            accept_language=plain.accept_language,
            agent=plain.agent,
            args=plain.args,
            form=plain.form,
        )
        try:
            answer = view(asked)
        except Exception as error:  # as Flask's own last handler
            answer = self._trouble.tell(asked, error)
        return _bytes_of(answer, self._date.now(), plain.keeps), plain.keeps


def _bytes_of(answer: Answer, date: str, keeps: bool) -> bytes:
    """RFC 9112 §2."""
    own = "".join(f"{name}: {value}\r\n" for name, value in answer.headers)
    head = (
        f"HTTP/1.1 {_STATUS[answer.status]}\r\n{own}{_EVERY}Date: {date}\r\n"
        f"Content-Length: {len(answer.body)}\r\nConnection: {'keep-alive' if keeps else 'close'}\r\n\r\n"
    )
    return head.encode("latin-1") + answer.body


_STATUS = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}
_EVERY = "".join(f"{name}: {value}\r\n" for name, value in (*GUARDS.items(), NO_STORE))
