"""One phone that makes up hardware addresses does not take the addresses of a plaza, and staff are told."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.net import whole
from tests.net.topology import until
from tests.net.whole import ROOT, Whole

pytestmark = [pytest.mark.attacks, pytest.mark.needs("root", "nft", "ip", "nginx", "dnsmasq", "curl", "dhclient")]
PROGRAM = str(ROOT / "tests" / "attacks" / "greedy_leases.py")
POOL = 60
SITE = whole.SITE.replace('last = "10.90.3.250"', 'last = "10.90.0.69"')


@pytest.fixture
def plaza(tmp_path: Path) -> Iterator[Whole]:
    """With a pool of sixty addresses."""
    made = Whole(tmp_path, SITE)
    try:
        made.build()
        yield made
    finally:
        made.close()


def taken(plaza: Whole, mode: str, count: int, per_second: int) -> int:
    """Leases given to a greedy phone."""
    space = plaza.plug("02:00:5e:23:00:01")
    command = ["ip", "netns", "exec", space, sys.executable, PROGRAM, "eth0", str(count), str(per_second), mode]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return int(done.stdout)


@pytest.mark.parametrize(
    ("mode", "most"),
    [("chaddr", 6), ("client-id", 6), ("claim", 0), ("long", 1), ("frame", POOL * 3 // 4)],
)
def test_a_greedy_phone_leaves_addresses_for_the_others(plaza: Whole, mode: str, most: int) -> None:
    assert taken(plaza, mode, 200, 50) <= most
    assert plaza.phone().ip


def test_log_and_doctor_tell_of_it(plaza: Whole) -> None:
    assert taken(plaza, "frame", 120, 40) > 0  # the program is one that takes addresses
    plaza.phone()
    log = plaza.folder / "gate.log"
    until(lambda: '"limit": "leases"' in log.read_text())
    codes = {found["code"] for found in plaza.doctor()}
    assert "wifi.limit_leases" in codes
    assert "02:00:5e" not in log.read_text()


def test_a_nearly_used_pool_is_told(plaza: Whole) -> None:
    """Fifty phones that are honest: nobody was held back."""
    leases = plaza.state / "dnsmasq" / "leases"
    lines = (f"4102444800 02:00:5e:24:00:{n:02x} 10.90.0.{n + 10} * *\n" for n in range(50))
    leases.write_text("".join(lines))
    until(lambda: '"event": "leases_nearly_used"' in (plaza.folder / "gate.log").read_text())
    found = [f for f in plaza.doctor() if f["code"] == "wifi.leases_nearly_used"]
    assert json.dumps(found).count("50")


@pytest.mark.long  # a minute of waiting for the renewal
def test_a_lease_is_short_until_it_is_renewed(plaza: Whole) -> None:
    phone = plaza.phone()
    first = _ends(plaza, phone.mac)
    assert first <= 120
    until(lambda: _ends(plaza, phone.mac) > 1000, 110)


def _ends(plaza: Whole, mac: str) -> float:
    """Seconds that the phone's lease lasts."""
    now = float(subprocess.run(["date", "+%s"], check=True, capture_output=True, text=True).stdout)
    lines = (plaza.state / "dnsmasq" / "leases").read_text().splitlines()
    return next((float(line.split()[0]) - now for line in lines if f" {mac} " in line), 0.0)


def test_a_phone_of_the_lease_file_is_known_again_after_the_tables_were_lost(plaza: Whole) -> None:
    """Else its renewals were not heard for as long as its lease lasts."""
    phone = plaza.phone()
    nft = ["ip", "netns", "exec", plaza.gateway, "nft"]
    pair = f"{phone.mac} . 0x{phone.mac.replace(':', '').lstrip('0')}"
    subprocess.run([*nft, "flush", "ruleset"], check=True)
    until(lambda: pair in _text([*nft, "list", "set", "inet", "hiroba", "dhcp_clients"]))


def _text(command: list[str]) -> str:
    return subprocess.run(command, check=False, capture_output=True, text=True).stdout
