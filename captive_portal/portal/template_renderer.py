"""Renders templates. Of pages that differ from phone to phone in a few placeholders alone, the rendered text is cached
with markers in their place; a later page only puts its values in, at a twentieth of the cost.
"""

from __future__ import annotations

import re
import secrets
import threading
from collections.abc import Callable, Hashable, Mapping
from typing import NamedTuple
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader

MAX_CACHED = 64
"""Cached pages, of about 6 KB."""

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
    """The path of a page, by the name of its route. Raises KeyError for an unknown one."""
    return f"{_PATHS[page]}?{urlencode(query)}" if query else _PATHS[page]


class _CachedPage(NamedTuple):
    """The texts between the placeholders, one more than ``names``, the placeholders in order."""

    texts: list[bytes]
    names: list[str]


class TemplateRenderer:
    """The templates of this folder. The cache is shared by all threads of a worker."""

    def __init__(self, static_version: str) -> None:
        self._templates = Environment(
            loader=PackageLoader("captive_portal.portal"), autoescape=True, trim_blocks=True, lstrip_blocks=True
        )
        self._templates.globals.update(static_version=static_version, url_for=url_for)
        self._marker = f"placeholder{secrets.token_hex(8)}"
        self._markers = re.compile(rf"{self._marker}(\w+?)q")
        self._lock = threading.Lock()
        self._cache: dict[Hashable, _CachedPage] = {}

    def render(
        self,
        template: str,
        placeholders: Mapping[str, str],
        context: Callable[[Mapping[str, str]], Mapping[str, object]],
        cache_key: Hashable = None,
    ) -> bytes:
        """The page in UTF-8. context: the template's variables, given the placeholders' values. cache_key: pages with
        the same key differ in their placeholders alone, and there are few keys; None: not cached.
        """
        if cache_key is None or not all(map(_SAFE.fullmatch, placeholders.values())):
            return self._render(template, context(placeholders)).encode()
        cached = self._cache.get((template, cache_key))
        if cached is None:
            markers = {name: f"{self._marker}{name}q" for name in placeholders}
            cached = self._store((template, cache_key), self._render(template, context(markers)))
        page = [cached.texts[0]]
        for text, name in zip(cached.texts[1:], cached.names, strict=True):
            page += (placeholders[name].encode("ascii"), text)
        return b"".join(page)

    def _render(self, template: str, context: Mapping[str, object]) -> str:
        return self._templates.get_template(template).render(context)

    def _store(self, key: Hashable, rendered: str) -> _CachedPage:
        pieces = self._markers.split(rendered)
        cached = _CachedPage([piece.encode() for piece in pieces[::2]], pieces[1::2])
        with self._lock:
            if len(self._cache) >= MAX_CACHED:
                del self._cache[next(iter(self._cache))]
            self._cache[key] = cached
        return cached
