"""Whether a request has wholly arrived, as far as its first bytes tell. Pure."""

from __future__ import annotations

import re

_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,9})[ \t]*\r\n", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding:[^\r\n]*chunked", re.IGNORECASE)


def missing(seen: bytes) -> int:
    """How many bytes of the first plain request in ``seen`` have surely still to come; 0 when it is whole."""
    head, end, body = seen.partition(b"\r\n\r\n")
    if not end:
        return 1
    if _CHUNKED.search(head):
        return 0 if body.endswith(b"0\r\n\r\n") else 1
    length = _LENGTH.search(head + b"\r\n")
    return max(0, int(length[1]) - len(body)) if length else 0


def missing_tls(seen: bytes) -> int:
    """The same for the first TLS record, which holds the ClientHello (RFC 8446 §5.1: type, version, length, body)."""
    if len(seen) < 5:
        return 5 - len(seen)
    return max(0, 5 + int.from_bytes(seen[3:5], "big") - len(seen)) if seen[0] == 22 else 0
