"""dnsmasq's lease file: lines of "expiry mac ip name client-id". Parsing is pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

_LINE = re.compile(rb"^([0-9]+) ((?:[0-9a-f]{2}:){5}[0-9a-f]{2}) ([0-9.]{7,15}) ", re.M)


class LeaseFile:
    """One spot's file, read again only when it has changed. A single lease is searched for and not parsed, because with
    thousands of phones the file changes between any two log-ins.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.stamp: tuple[int, int] = (0, 0)
        self._text = b""

    def refresh(self) -> None:
        """Read the file if it has changed; ``stamp`` tells. A file that is not there keeps what was read last."""
        try:
            status = self._path.stat()
            stamp = (status.st_mtime_ns, status.st_size)
            if stamp == self.stamp:
                return
            self._text = self._path.read_bytes().lower()
        except OSError:
            return
        self.stamp = stamp

    def mac_of(self, ip: str) -> str:
        """The MAC that ``ip`` is leased to, or ""."""
        self.refresh()
        return mac_of(self._text, ip)

    def ip_of(self, mac: str) -> str:
        """The address leased to ``mac``, or ""."""
        self.refresh()
        return ip_of(self._text, mac)

    def leases(self) -> dict[str, str]:
        """Address -> MAC of all that was read last."""
        return parse(self._text)

    def in_force(self, now: float) -> list[str]:
        """MACs of the leases that have not ended at ``now`` (seconds since 1970); each is one address."""
        self.refresh()
        return in_force(self._text, now)


def in_force(text: bytes, now: float) -> list[str]:
    """See LeaseFile.in_force. An expiry of 0 is none."""
    return [mac.decode() for until, mac, _ in _LINE.findall(text) if int(until) == 0 or int(until) > now]


def parse(text: bytes) -> dict[str, str]:
    """Address -> MAC of each line of an IPv4 lease over Ethernet."""
    return {ip.decode(): mac.decode() for _, mac, ip in _LINE.findall(text)}


def mac_of(text: bytes, ip: str) -> str:
    """See LeaseFile.mac_of."""
    for fields in _lines_with(text, ip.encode()):
        if len(fields) > 2 and fields[2] == ip.encode() and len(fields[1]) == 17:
            return fields[1].decode()
    return ""


def ip_of(text: bytes, mac: str) -> str:
    """See LeaseFile.ip_of. Of several (one MAC under several client identifiers) the one that ends last."""
    found = [fields for fields in _lines_with(text, mac.encode()) if len(fields) > 2 and fields[1] == mac.encode()]
    last = max(found, key=lambda fields: int(fields[0]) or float("inf"), default=None)
    return last[2].decode() if last else ""


def _lines_with(text: bytes, word: bytes) -> Iterator[list[bytes]]:
    """The fields of each line in which ``word`` stands alone and which begins with a number."""
    wanted = b" " + word + b" "
    at = text.find(wanted)
    while at >= 0:
        start, end = text.rfind(b"\n", 0, at) + 1, text.find(b"\n", at)
        fields = text[start : end if end >= 0 else len(text)].split(b" ")
        if fields[0].isdigit():
            yield fields
        at = text.find(wanted, at + 1)
