"""The headers about the client that nginx sets on every request, overwriting what the client sent.

They are trusted only on a unix socket that nginx alone may open. Pure.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

CLIENT, CLIENT_PORT, SCHEME = "X-Real-IP", "X-Real-Port", "X-Forwarded-Proto"
LISTENER, CREDENTIAL, ADMITTED = "X-Hiroba-Listener", "X-Hiroba-Credential", "X-Hiroba-Admitted"
"""The client's address, and its port; http or https (gunicorn reads it); which listener (of several ports); the
client's X.509 credential that TLS has verified, PEM in percent-encoding ($ssl_client_escaped_cert), or absent; "1" when
city hall, asked for this request, admits the box of that credential, or absent.
"""
HEADERS = (CLIENT, CLIENT_PORT, SCHEME, LISTENER, CREDENTIAL, ADMITTED)
STAFF_LISTENER, ENROL_LISTENER, BOX_LISTENER, KIOSK_LISTENER = "staff", "enrol", "boxes", "kiosks"
"""The listeners of city hall: staff, a box without a credential, a box with one; and the issuer's, kiosks elsewhere."""


def with_client_address(app: Callable[..., Any]) -> Callable[..., Any]:
    """WSGI around ``app``: REMOTE_ADDR and REMOTE_PORT are the client's."""
    address, port = environ_name(CLIENT), environ_name(CLIENT_PORT)

    def wrapped(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        environ["REMOTE_ADDR"] = environ.get(address, "")
        environ["REMOTE_PORT"] = environ.get(port, "")
        return app(environ, start_response)

    return wrapped


def environ_name(header: str) -> str:
    """The header's name in a WSGI environment (PEP 3333)."""
    return "HTTP_" + header.upper().replace("-", "_")


def listener_of(environ: Mapping[str, Any]) -> str:
    """The listener that the request came by."""
    return str(environ.get(environ_name(LISTENER), ""))


def admitted(environ: Mapping[str, Any]) -> bool:
    """Whether city hall was asked about this request's box, and admits it."""
    return environ.get(environ_name(ADMITTED)) == "1"


def credential_of(environ: Mapping[str, Any]) -> bytes | None:
    """The client's verified credential (DER), or None."""
    try:
        return ssl.PEM_cert_to_DER_cert(unquote(environ.get(environ_name(CREDENTIAL), "")))
    except ValueError:
        return None
