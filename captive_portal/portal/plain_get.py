"""Reads the one kind of request that phones send by the thousand: a short GET without a body, as they all write it.

Whatever is unusual is None and left to the server's own parser; nothing is guessed. Pure.
"""

from __future__ import annotations

import re
from typing import NamedTuple

MAX_BYTES = 2048
_LINE = re.compile(rb"GET (/[!-$&->@-~]*)(?:\?[!-~]*)? HTTP/1\.1\r\n")
_FIELDS = re.compile(rb"(?:[!#$&'*+.^_`|~0-9A-Za-z-]+:[\t -~]*\r\n)+\r\n")  # token, colon, text (RFC 9112 §5)
_HOST = re.compile(rb"\r\nhost:[ \t]*([0-9A-Za-z.:\[\]-]+)[ \t]*(?=\r\n)", re.IGNORECASE)
_AGENT = re.compile(rb"\r\nuser-agent:[ \t]*([ -~]*?)[ \t]*(?=\r\n)", re.IGNORECASE)
_UNUSUAL = re.compile(
    rb"\r\n(?:content-length|transfer-encoding|expect|upgrade|http2-settings|connection:[^\r\n]*upgrade)", re.IGNORECASE
)


class PlainGet(NamedTuple):
    """Host and User-Agent as sent, and the path without its query; nothing of it percent-encoded."""

    host: str
    path: str
    agent: str


def read_plain_get(raw: bytes) -> PlainGet | None:
    """The request that ``raw`` wholly is, or None: more or less than one, with a body, with two hosts, or otherwise
    worth a real parser.
    """
    line = _LINE.match(raw)
    if line is None or len(raw) > MAX_BYTES or not _FIELDS.fullmatch(raw, line.end()) or _UNUSUAL.search(raw):
        return None
    hosts, agents = _HOST.findall(raw), _AGENT.findall(raw)
    if len(hosts) != 1 or len(agents) > 1 or raw.lower().count(b"\r\nhost") != 1:
        return None
    return PlainGet(hosts[0].decode("ascii"), line[1].decode("ascii"), agents[0].decode("ascii") if agents else "")
