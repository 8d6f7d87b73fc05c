"""The view of the network interfaces."""

from __future__ import annotations

from device.network import default_gateways, interfaces, missing_interfaces


def test_loopback_is_there_with_its_addresses() -> None:
    loopback = interfaces()["lo"]
    assert loopback.up
    assert "127.0.0.1" in loopback.ipv4
    assert loopback.bytes_sent == loopback.bytes_received


def test_interfaces_that_do_not_exist_are_told() -> None:
    assert missing_interfaces(["lo", "nosuch0"]) == ["nosuch0"]


def test_gateways_are_told_by_family() -> None:
    assert set(default_gateways()) <= {"ipv4", "ipv6"}
