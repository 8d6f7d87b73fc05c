"""What nginx tells an application of the client, in headers that it always sets and so overwrites.

They are believed on a unix socket that nginx alone may open, and nowhere else: the same names from a TCP port would be
anybody's word. Pure.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

CLIENT, SCHEME, DOOR, CREDENTIAL = "X-Real-IP", "X-Forwarded-Proto", "X-Hiroba-Door", "X-Hiroba-Credential"
"""The client's address; http or https (gunicorn reads it); which of several ports; the client's X.509 credential that
TLS has verified, PEM in percent-encoding ($ssl_client_escaped_cert), or absent.
"""
HEADERS = (CLIENT, SCHEME, DOOR, CREDENTIAL)
STAFF_DOOR, ENROL_DOOR, BOX_DOOR = "staff", "enrol", "boxes"
"""The doors of city hall: people, a box without a credential, a box with one."""


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


def door_of(environ: Mapping[str, Any]) -> str:
    """Which of several ports the request came by."""
    return str(environ.get(environ_name(DOOR), ""))


def credential_of(environ: Mapping[str, Any]) -> bytes | None:
    """The client's verified credential (DER), or None."""
    try:
        return ssl.PEM_cert_to_DER_cert(unquote(environ.get(environ_name(CREDENTIAL), "")))
    except ValueError:
        return None
