"""Which kiosk asks the issuer: by its socket, or by the credential that nginx has verified, never by what it says."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from cryptography import x509

from device.clock import Clock
from kiosk.issuer.api import Refused, WhoAsks
from provisioning.cityhall.boxes.authority import Peer, peer_of
from provisioning.nginx_headers import KIOSK_LISTENER, admitted, credential_of, listener_of
from provisioning.web.arrival import came_locally

_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
Refuses = Callable[[Peer], str | None]
"""Why a box is not admitted: a code, or None. For a list of city hall's on another machine."""


def who_asks(box: str, clock: Clock, refuses: Refuses | None) -> WhoAsks:
    """box: the name of this box's own kiosk. refuses: None where nginx has asked city hall, and says so with each
    request; without its word nobody is served.
    """

    def asking(environ: Mapping[str, Any]) -> str | Refused:
        if came_locally(environ):
            return box
        der = credential_of(environ) if listener_of(environ) == KIOSK_LISTENER else None
        peer = peer_of(der) if der else None
        if der is None or peer is None or not _NAME.fullmatch(peer.box):
            return Refused("box_unknown")
        if _expired(der, clock.now()):
            return Refused("credential_expired")
        if refuses is None:
            return peer.box if admitted(environ) else Refused("not_asked")
        reason = refuses(peer)
        return Refused(reason) if reason else peer.box

    return asking


def _expired(der: bytes, now: datetime) -> bool:
    """TLS looks at the dates when a connection begins, and one may last for long."""
    return now >= x509.load_der_x509_certificate(der).not_valid_after_utc
