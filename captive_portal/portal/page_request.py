"""What a page is made from and what it becomes, whichever method the request came in. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class PageRequest:
    """One request. args, form, cookies: the first value of each name; secure: it came by TLS; ip: the phone's own
    address, which the gate keeps when it redirects port 80; port: the phone's end of the connection, by which the gate
    finds the phone that began it.
    """

    method: str
    path: str
    ip: str
    port: int = 0
    secure: bool = False
    accept_language: str = ""
    agent: str = ""
    args: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] = field(default_factory=dict)
    cookies: Mapping[str, str] = field(default_factory=dict)


class PageResponse(NamedTuple):
    """headers: without those of every response (device/web_headers.py)."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
