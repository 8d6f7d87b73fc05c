"""Prints pages: a page that differs from phone to phone in a few blanks alone is drawn once and filled in from then on.

Drawing costs twenty times as much as filling in.
"""

from __future__ import annotations

import re
import secrets
import threading
from collections.abc import Callable, Hashable, Mapping
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader

MAX_KEPT = 64
"""Drawn pages to keep, of about 6 KB."""

_SAFE = re.compile(r"[0-9A-Za-z._~-]*")  # reads the same as HTML text, in an attribute and in a query
_PATHS = {
    "pages.home": "/",
    "pages.terms": "/terms",
    "pages.login": "/login",
    "pages.extend": "/extend",
    "pages.logout": "/logout",
    "pages.resume": "/resume",
    "pages.resume_offer": "/resume",
    "pages.code": "/code",
}


def url_for(page: str, **query: str) -> str:
    """The path of a page, under the name of its route. Raises KeyError for one that there is not."""
    return f"{_PATHS[page]}?{urlencode(query)}" if query else _PATHS[page]


class Press:
    """The templates of this folder. Drawn pages are shared by all threads of a worker."""

    def __init__(self, static_version: str) -> None:
        self._templates = Environment(
            loader=PackageLoader("captive_portal.portal"), autoescape=True, trim_blocks=True, lstrip_blocks=True
        )
        self._templates.globals.update(static_version=static_version, url_for=url_for)
        self._mark = f"blank{secrets.token_hex(8)}"
        self._marks = re.compile(rf"{self._mark}(\w+?)q")
        self._lock = threading.Lock()
        self._kept: dict[Hashable, tuple[list[bytes], list[str]]] = {}

    def print(
        self,
        template: str,
        blanks: Mapping[str, str],
        facts: Callable[[Mapping[str, str]], Mapping[str, object]],
        kind: Hashable = None,
    ) -> bytes:
        """The page in UTF-8. facts: what the template is told, given the values of the blanks. kind: two pages of one
        kind differ in their blanks alone, and there are few kinds; None: this page is like no other.
        """
        if kind is None or not all(map(_SAFE.fullmatch, blanks.values())):
            return self._draw(template, facts(blanks)).encode()
        kept = self._kept.get((template, kind))
        if kept is None:
            kept = self._keep((template, kind), self._draw(template, facts({b: f"{self._mark}{b}q" for b in blanks})))
        texts, names = kept
        page = [texts[0]]
        for text, name in zip(texts[1:], names, strict=True):
            page += (blanks[name].encode("ascii"), text)
        return b"".join(page)

    def _draw(self, template: str, facts: Mapping[str, object]) -> str:
        return self._templates.get_template(template).render(facts)

    def _keep(self, key: Hashable, drawn: str) -> tuple[list[bytes], list[str]]:
        pieces = self._marks.split(drawn)
        kept = [piece.encode() for piece in pieces[::2]], pieces[1::2]
        with self._lock:
            if len(self._kept) >= MAX_KEPT:
                del self._kept[next(iter(self._kept))]
            self._kept[key] = kept
        return kept
