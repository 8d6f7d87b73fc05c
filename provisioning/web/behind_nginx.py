"""What nginx tells an application of the client, in headers that it always sets and so overwrites.

They are believed on a unix socket that nginx alone may open, and nowhere else: the same names from a TCP port would be
anybody's word. Pure.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

CLIENT, SCHEME, DOOR, CREDENTIAL = "X-Real-IP", "X-Forwarded-Proto", "X-Hiroba-Door", "X-Hiroba-Credential"
"""The client's address; http or https (gunicorn reads it); which of several ports; the client's X.509 credential that
TLS has verified, PEM in percent-encoding ($ssl_client_escaped_cert), or absent.
"""
HEADERS = (CLIENT, SCHEME, DOOR, CREDENTIAL)


def told_by_nginx(app: Callable[..., Any]) -> Callable[..., Any]:
    """WSGI around ``app``: REMOTE_ADDR is the client's."""
    key = environ_name(CLIENT)

    def told(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        environ["REMOTE_ADDR"] = environ.get(key, "")
        return app(environ, start_response)

    return told


def environ_name(header: str) -> str:
    """The header's name in a WSGI environment (PEP 3333)."""
    return "HTTP_" + header.upper().replace("-", "_")
