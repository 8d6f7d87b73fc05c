from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captive_portal.portal.probes import PROBES, DeviceKind, Probe, bare_host, find_probe, kind_of


@pytest.mark.parametrize(
    ("host", "path", "kind"),
    [
        ("captive.apple.com", "/hotspot-detect.html", DeviceKind.APPLE),
        ("connectivitycheck.gstatic.com", "/generate_204", DeviceKind.ANDROID),
        ("connect.rom.example.jp", "/generate_204", DeviceKind.ANDROID),
        ("www.msftconnecttest.com", "/connecttest.txt", DeviceKind.WINDOWS),
        ("detectportal.firefox.com", "/canonical.html", DeviceKind.FIREFOX),
        ("nmcheck.gnome.org", "/check_network_status.txt", DeviceKind.LINUX),
        ("spectrum.s3.amazonaws.com", "/kindle-wifi/wifistub.html", DeviceKind.KINDLE),
        ("ctest.cdn.nintendo.net", "/", DeviceKind.NINTENDO),
    ],
)
def test_each_system_is_known_by_its_probe(host: str, path: str, kind: DeviceKind) -> None:
    assert kind_of(host, path, "") is kind


@given(st.sampled_from(PROBES), st.sampled_from(["", ":80", ":8080"]))
def test_a_row_is_found_whatever_the_case_or_port_of_its_host(row: Probe, port: str) -> None:
    host = "some.example.jp" if row.host == "*" else row.host
    path = "/any" if row.path == "*" else row.path
    found = find_probe(host.upper() + port, path)
    assert found is not None
    assert found.kind is row.kind


@given(st.text(max_size=80), st.text(max_size=80), st.text(max_size=200))
def test_any_host_path_and_agent_has_a_kind(host: str, path: str, agent: str) -> None:
    assert kind_of(host, path, agent) in DeviceKind


@given(st.from_regex(r"[a-z0-9.-]{1,40}[a-z]", fullmatch=True), st.integers(1, 65535))
def test_a_port_does_not_change_the_host(name: str, port: int) -> None:
    assert bare_host(f"{name}:{port}") == bare_host(name)


def test_an_ipv6_host_loses_brackets_and_port() -> None:
    assert bare_host("[fd00:90::1]:8180") == "fd00:90::1"


def test_no_answer_of_the_table_could_be_taken_for_a_redirect() -> None:
    assert {p.online_status for p in PROBES} <= {200, 204}
    assert all((p.online_status == 204) == (p.online_body == "") for p in PROBES)


def test_the_portals_own_pages_are_no_probe() -> None:
    assert all(find_probe("wifi.example.jp", path) is None for path in ("/", "/login", "/terms", "/captive-portal/api"))
    assert not set(string.whitespace) & set("".join(p.host + p.path for p in PROBES))
