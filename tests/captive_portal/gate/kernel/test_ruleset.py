"""The rules of any site are taken by the kernel, and hold the sentences that must stand in them."""

from __future__ import annotations

import itertools
import os
import subprocess
from collections.abc import Iterator
from typing import Literal

import pytest

from captive_portal.gate.kernel.nft import Nft
from captive_portal.gate.kernel.ruleset import table
from captive_portal.settings import Ipv4Settings, Ipv6Settings, LimitSettings, WifiSettings
from tests.captive_portal.gate.sites import a_site, a_spot
from tests.net.topology import in_namespace

Mode = Literal["off", "routed", "masquerade", "npt"]
MODES: tuple[Mode, ...] = ("off", "routed", "masquerade", "npt")


@pytest.fixture(scope="module")
def nft() -> Iterator[Nft]:
    """libnftables in an empty namespace."""
    space = f"hr{os.getpid():x}{os.urandom(2).hex()}"
    subprocess.run(["ip", "netns", "add", space], check=True)
    made = in_namespace(space, Nft)
    yield made
    made.close()
    subprocess.run(["ip", "netns", "del", space], check=True)


def ipv6(mode: Mode) -> Ipv6Settings:
    return Ipv6Settings(mode=mode, network="fd00:90::/64", gateway="fd00:90::1", uplink_network="2001:db8:1::/64")


@pytest.mark.needs("root", "nft", "ip")
@pytest.mark.parametrize(
    ("mode", "rates", "closed"), list(itertools.product(MODES, (0, 3000), ([], ["192.168.0.0/16"])))
)
def test_the_kernel_takes_the_rules_of_any_site(nft: Nft, mode: Mode, rates: int, closed: list[str]) -> None:
    limits = LimitSettings(up_kbit=rates, down_kbit=rates)
    one = a_spot(ipv6=ipv6(mode), limits=limits, closed_networks=closed)
    two = a_spot(name="park", interface="br-park", ipv4=Ipv4Settings(gateway="10.91.0.1"), ipv6=Ipv6Settings())
    nft.run(table(WifiSettings(spots=[one, two])))
    assert "chain up_1" in nft.run("list table inet hiroba")


def test_the_same_site_gives_the_same_text() -> None:
    assert table(a_site()) == table(a_site())


@pytest.mark.parametrize("chain", ["up_0", "down_0", "box_0"])
def test_every_chain_for_phones_ends_shut(chain: str) -> None:
    body = table(a_site()).partition(f"chain {chain} {{")[2].partition("}\n\n")[0].partition("\n  }\n")[0]
    assert body.strip().splitlines()[-1].strip() in {"goto refuse", "drop"}


def test_nothing_upwards_is_accepted_because_it_was_established() -> None:
    up = table(a_site()).partition("chain up_0 {")[2].partition("\n  }\n")[0]
    assert "established" not in up
    assert all("mark" in line for line in up.splitlines() if line.endswith("accept"))


@pytest.mark.parametrize(("rate", "share", "bytes_a_second"), [(0, 2000, 250_000), (800, 2000, 100_000), (0, 0, 0)])
def test_in_a_disaster_the_lower_rate_holds_in_both_families(rate: int, share: int, bytes_a_second: int) -> None:
    text = table(a_site(LimitSettings(up_kbit=rate, down_kbit=rate, disaster_kbit=share)))
    lines = [line for line in text.splitlines() if "update @fair" in line]
    assert len(lines) == (3 if bytes_a_second else 0)
    assert [line for line in lines if f"over {bytes_a_second} bytes/second" not in line] == []


def test_a_box_shares_fairly_in_a_disaster_by_default() -> None:
    assert table(a_site()).count("update @fair") == 3
