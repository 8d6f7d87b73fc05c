"""Leases are read as dnsmasq writes them, and followed without forgetting one that is being rewritten."""

from __future__ import annotations

import random
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from captive_portal.gate.kernel.lease_changes import GONE_AFTER, LeaseChanges, lease_elements
from captive_portal.gate.kernel.lease_file import LeaseFile, in_force, ip_of, mac_of, parse

MAC, OTHER, IP = "02:00:00:00:00:05", "02:00:00:00:00:06", "10.90.1.5"
LINE = f"1790000000 {MAC} {IP} * 01:{MAC}\n"
LEASES = st.dictionaries(
    st.integers(1, 30).map(lambda n: f"10.90.0.{n}"), st.integers(1, 30).map(lambda n: f"02:00:00:00:00:{n:02x}")
)


def test_a_lease_counts_for_its_own_phone_and_as_long_as_it_stands(tmp_path: Path) -> None:
    file = tmp_path / "leases"
    leases = LeaseFile(file)
    assert leases.mac_of(IP) == ""
    file.write_text(LINE)
    assert (leases.mac_of(IP), leases.ip_of(MAC), leases.ip_of(OTHER)) == (MAC, IP, "")
    file.write_text("")
    assert (leases.mac_of(IP), leases.ip_of(MAC)) == ("", "")


@given(st.binary())
def test_no_junk_in_a_lease_file_is_a_lease(junk: bytes) -> None:
    assert (mac_of(junk, IP), ip_of(junk, MAC), parse(junk).get(IP)) == ("", "", None)
    whole = junk + b"\n" + LINE.encode()
    assert (mac_of(whole, IP), ip_of(whole, MAC), parse(whole)[IP]) == (MAC, IP, MAC)


def test_a_phone_that_calls_itself_a_lease_has_none() -> None:
    claim = LINE.replace("*", f"x {OTHER} 10.90.1.6 y").encode()
    assert (mac_of(claim, "10.90.1.6"), ip_of(claim, OTHER)) == ("", "")
    assert parse(claim) == {IP: MAC}


def test_a_lease_is_in_force_until_it_ends_and_one_without_an_end_stays() -> None:
    text = f"1790000000 {MAC} {IP} * *\n0 {OTHER} 10.90.1.6 * *\n".encode()
    assert (in_force(text, 1789999999.0), in_force(text, 1790000000.0)) == ([MAC, OTHER], [OTHER])


def test_of_two_leases_of_a_phone_the_one_that_ends_last_is_its_address() -> None:
    text = f"1790000000 {MAC} 10.90.1.8 * *\n1790000900 {MAC} {IP} * *\n1790000100 {MAC} 10.90.1.9 * *\n".encode()
    assert ip_of(text, MAC) == IP
    assert ip_of(text.replace(b"1790000100", b"0"), MAC) == "10.90.1.9"


@given(st.lists(LEASES, min_size=1, max_size=6))
def test_what_is_applied_becomes_what_the_file_says_and_each_address_has_one_phone(files: list[dict[str, str]]) -> None:
    changes, kernel, now = LeaseChanges(), dict[str, str](), 0.0
    for leases in [*files, files[-1]]:
        now += GONE_AFTER
        added, removed = changes.take(leases, now)
        kernel = {ip: mac for ip, mac in kernel.items() if ip not in removed} | added
        assert kernel == changes.applied
        assert kernel.items() >= leases.items()
    assert kernel == files[-1]
    assert not changes.waiting


@given(LEASES, st.integers(0, 400))
def test_half_a_file_takes_no_lease_away(leases: dict[str, str], cut: int) -> None:
    lines = [f"1790000000 {mac} {ip} * *\n" for ip, mac in leases.items()]
    random.Random(cut).shuffle(lines)
    changes = LeaseChanges()
    changes.start(leases)
    assert changes.take(parse("".join(lines).encode()[:cut]), 10.0) == ({}, [])
    assert changes.take(leases, 10.0 + GONE_AFTER) == ({}, [])
    assert changes.applied == leases


def test_a_lease_is_known_for_packets_and_for_arp() -> None:
    names = [name for name, _ in lease_elements([(IP, MAC)])]
    assert {(name.set, name.key) for name in names} == {
        ("leased4", f"{IP} . {MAC}"), ("leased", IP), ("arp_leased4", f"{IP} . {MAC}"), ("arp_leased", IP)
    }  # fmt: skip
