"""Reads the requests that browsers send most: a page, or a form of plain words, whole and as they all write it.

Whatever is unusual is None and left to the server's own parser; nothing is decoded and nothing guessed. Pure.
"""

from __future__ import annotations

import re
from typing import NamedTuple

MAX_BYTES = 4096
MAX_FIELDS = 60
_LINE = re.compile(rb"(GET|POST) (/[0-9A-Za-z._-]*)(?:\?([0-9A-Za-z._*=&-]*))? HTTP/1\.1")
_FIELDS = re.compile(rb"(?:[!#$%&'*+.^`|~0-9A-Za-z-]+:[\t -~]*(?:\r\n|$))+")  # token, colon, text (RFC 9112 §5)
_HOST = re.compile(r"[0-9A-Za-z.:\[\]-]+")
_FORM = re.compile(rb"[0-9A-Za-z._*=&-]*")
_FORM_TYPE = "application/x-www-form-urlencoded"
_UNUSUAL = frozenset(
    ("content-encoding", "cookie", "expect", "http2-settings", "te", "trailer", "transfer-encoding", "upgrade")
)
_KEEPS = {"": True, "keep-alive": True, "close": False}


class PlainRequest(NamedTuple):
    """Texts as sent. args, form: the first value of each name; keeps: the sender would go on with the connection."""

    method: str
    host: str
    path: str
    args: dict[str, str]
    form: dict[str, str]
    agent: str
    accept_language: str
    keeps: bool


def read_plain_request(raw: bytes) -> PlainRequest | None:
    """The request that ``raw`` wholly is, or None: more or less than one, a field twice, a cookie, a word that is
    percent-encoded, or otherwise worth a real parser.
    """
    head, end, body = raw.partition(b"\r\n\r\n")
    line, _, lines = head.partition(b"\r\n")
    begun = _LINE.fullmatch(line)
    fields = _fields(lines) if begun and end and len(raw) <= MAX_BYTES else None
    if begun is None or fields is None or not _FORM.fullmatch(body):
        return None
    method, host, keeps = begun[1].decode(), fields.get("host", ""), _KEEPS.get(fields.get("connection", "").lower())
    if keeps is None or not _HOST.fullmatch(host) or not _fits(method, fields, body):
        return None
    return PlainRequest(
        method=method,
        host=host,
        path=begun[2].decode(),
        args=_pairs(begun[3] or b""),
        form=_pairs(body),
        agent=fields.get("user-agent", ""),
        accept_language=fields.get("accept-language", ""),
        keeps=keeps,
    )


def _fields(lines: bytes) -> dict[str, str] | None:
    if not _FIELDS.fullmatch(lines):
        return None
    fields: dict[str, str] = {}
    for line in lines.decode("ascii").split("\r\n"):
        name, _, value = line.partition(":")
        name = name.lower()
        if name in fields or name in _UNUSUAL or name.startswith("x-forwarded"):
            return None
        fields[name] = value.strip(" \t")
    return fields if len(fields) <= MAX_FIELDS else None


def _fits(method: str, fields: dict[str, str], body: bytes) -> bool:
    """A GET has no body; a POST has a form of the length it tells."""
    if method == "GET":
        return not body and "content-length" not in fields
    return fields.get("content-type") == _FORM_TYPE and fields.get("content-length") == str(len(body))


def _pairs(text: bytes) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for piece in text.decode("ascii").split("&") if text else ():
        name, _, value = piece.partition("=")
        if piece:
            pairs.setdefault(name, value)
    return pairs
