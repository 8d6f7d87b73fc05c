"""Ports to be told to a process lie where no outgoing connection can take them."""

from __future__ import annotations

import socket
from pathlib import Path

from device.loopback import free_ports


def test_they_are_in_a_row_and_can_be_bound() -> None:
    ports = free_ports(3)
    assert ports == list(range(ports[0], ports[0] + 3))
    for port in ports:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", port))


def test_none_is_one_that_an_outgoing_connection_may_get() -> None:
    first_outgoing = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    assert all(max(free_ports(4)) < first_outgoing for _ in range(20))
