"""Ports for processes that must be told theirs when they start."""

from __future__ import annotations

import socket
from pathlib import Path
from secrets import randbelow

MIN_PORT, MAX_PORT = 20_000, 32_000
_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")


def free_ports(count: int, host: str = "127.0.0.1") -> list[int]:
    """So many TCP ports in a row that nobody has bound on ``host`` just now.

    They lie below those which the kernel gives to outgoing connections (ip(7), ip_local_port_range): else a connection
    of anybody's could take one between this look and the process's own start.
    """
    above = min(MAX_PORT, max(MIN_PORT + 1000, int(_RANGE.read_text().split()[0])))
    while True:
        first = MIN_PORT + randbelow(above - MIN_PORT - count)
        ports = list(range(first, first + count))
        if all(is_free(port, host) for port in ports):
            return ports


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether nobody has bound ``port`` on ``host`` just now."""
    with socket.socket() as probe:
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True
