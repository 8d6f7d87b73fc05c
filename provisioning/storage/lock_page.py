"""What a touch screen shows while the box's volume is shut: why, whom to call, and that it goes on by itself (N11)."""

from __future__ import annotations

import html
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from device.catalogue import read_by_code
from provisioning.storage.opening import Closed

REFRESH_SECONDS = 5
_STYLE = "body{font:1.6rem/1.6 sans-serif;margin:12vh 8vw;color:#222;background:#fff}h1{font-size:2.4rem}"
_PAGE = """<!doctype html>
<html lang="ja"><head><meta charset="utf-8"><meta http-equiv="refresh" content="{seconds}"><title>{title}</title>
<link rel="stylesheet" href="/locked.css"></head>
<body data-page="locked" data-reason="{code}"><h1>{title}</h1><p>{why}</p><p>{next}</p>
<p><strong>{telephone}</strong></p>
<div lang="en"><h2>{en_title}</h2><p>{en_why}</p><p>{en_next}</p></div></body></html>
"""


@dataclass
class Shown:
    """What the page says now. telephone: of the kiosk's manager, "" when the site file does not say."""

    closed: Closed
    telephone: str = ""


def page(shown: Shown) -> str:
    """The page's text: Japanese first, English below."""
    words = read_by_code("provisioning.storage", "reasons.toml", ("ja", "en"))
    code = shown.closed.code
    said = {
        prefix + part: html.escape(words[language].text(f"{code}.{part}"))
        for language, prefix in (("ja", ""), ("en", "en_"))
        for part in ("title", "why", "next")
    }
    return _PAGE.format(seconds=REFRESH_SECONDS, code=code, telephone=html.escape(shown.telephone), **said)


@contextmanager
def shown_on(port: int, shown: Shown) -> Iterator[None]:
    """The page on loopback at the kiosk's port, until the block ends and the kiosk takes the port itself."""

    class Answer(BaseHTTPRequestHandler):
        timeout = 5

        def do_GET(self) -> None:
            style = self.path == "/locked.css"
            body = (_STYLE if style else page(shown)).encode("utf-8")
            self.send_response(200 if style or self.path == "/" else 503)
            self.send_header("Content-Type", f"text/{'css' if style else 'html'}; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "no-store")
            self.send_header("Content-Security-Policy", "default-src 'none'; style-src 'self'")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing of a request is logged."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Answer)
    thread = threading.Thread(target=server.serve_forever, name="lock page", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
