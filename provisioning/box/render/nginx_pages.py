"""nginx's own error pages, in the city's words, for when the portal does not answer. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from pathlib import Path

from captive_portal.portal.languages import Catalogue
from captive_portal.settings import PortalSettings
from provisioning.box.render.nginx import NginxRuntime, block, quoted

FOLDER = "hiroba-error-pages"
"""Below the folder of the process, and their path: one that no page elsewhere has, because under it nobody is sent on
to the portal.
"""
_PAGES = {
    "many": ("429", "error_busy"),
    "busy": ("500 502 503 504 =503", "error_busy"),
    "not-found": ("403 404 405", "error_not_found"),
    "refused": ("400 408 411 413 414 494 497", "error_form"),
}
"""Name -> its status codes (and the code sent instead), and the key of its sentence in the portal's catalogues."""
_LANGUAGES = ("ja", "en")


def error_pages(runtime: NginxRuntime) -> list[str]:
    """The lines of a server. The application's own responses are not replaced."""
    lines = [f"error_page {codes} /{FOLDER}/{name}.html;" for name, (codes, _) in _PAGES.items()]
    headers = ["add_header Cache-Control no-store always;", "add_header Retry-After 5 always;"]
    return [*lines, block(f"location /{FOLDER}/", ["internal;", f"root {quoted(runtime.folder)};", *headers])]


def pages(portal: PortalSettings, catalogues: Mapping[str, Catalogue]) -> dict[Path, str]:
    """File below the folder of the process -> its text."""
    return {Path(FOLDER) / f"{name}.html": _page(name, key, portal, catalogues) for name, (_, key) in _PAGES.items()}


def _page(name: str, key: str, portal: PortalSettings, catalogues: Mapping[str, Catalogue]) -> str:
    notices = "".join(
        f'<p class="notice" role="alert" lang="{code}">{catalogues[code].html(key)}</p>\n' for code in _LANGUAGES
    )
    links = "".join(
        f'<p lang="{code}"><a href="/?lang={code}">{catalogues[code].html("code_again")}</a></p>\n'
        for code in _LANGUAGES
    )
    words = catalogues[_LANGUAGES[0]]
    return f"""<!doctype html>
<html lang="{words.code}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{words.plain(key)}</title>
<link rel="stylesheet" href="/static/portal.css">
</head>
<body data-page="error" data-error="{name}">
<main>
<h1>{words.html("service")}</h1>
{notices}<section class="card">
{links}</section>
</main>
<footer>
<p>{words.html("provider", provider=escape(portal.provider_ja))}</p>
</footer>
</body>
</html>
"""
