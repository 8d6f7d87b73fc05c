"""A hall full of phones at once, a phone's own browser and its own system, through the real processes."""

from __future__ import annotations

import json
import re
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from tests.net.network_manager import NetworkManager
from tests.net.topology import in_namespace, until
from tests.net.whole import PORTAL, ROOT, Phone, Whole, page_of

pytestmark = pytest.mark.needs("root", "nft", "ip", "nginx", "dnsmasq", "curl", "dhclient")
PHONES = 250


@pytest.fixture(scope="module")
def plaza(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    made = Whole(tmp_path_factory.mktemp("crowd"))
    try:
        made.build()
        yield made
    finally:
        made.close()


def mac(number: int) -> str:
    return f"02:00:5e:30:00:{number:02x}"


def ip(number: int) -> str:
    return f"10.90.2.{number + 1}"


@pytest.fixture(scope="module")
def hall(plaza: Whole) -> str:
    """A namespace with a MAC, an address, a routing table and a lease of its own for each of the phones."""
    space = plaza.plug("02:00:5e:3f:00:00")
    words = []
    for n in range(PHONES):
        words += [
            f"link add link eth0 name m{n} address {mac(n)} type macvlan mode bridge",
            f"address add {ip(n)}/32 dev m{n}",
            f"link set m{n} up",
            f"rule add from {ip(n)} lookup {1000 + n}",
            f"route add 10.90.0.0/22 dev m{n} table {1000 + n}",
            f"route add default via 10.90.0.1 dev m{n} onlink table {1000 + n}",
        ]
    for name, value in (("arp_ignore", "1"), ("arp_announce", "2"), ("rp_filter", "0")):
        subprocess.run(
            ["ip", "netns", "exec", space, "sysctl", "-qw", f"net.ipv4.conf.all.{name}={value}"], check=True
        )  # before the interfaces are there
    subprocess.run(["ip", "-n", space, "-batch", "-"], input="\n".join(words), text=True, check=True)
    for n in range(PHONES):
        take_lease(space, n)
    return space


def take_lease(space: str, number: int) -> None:
    """DHCPREQUEST of a phone that comes back (RFC 2131 §4.3.2, INIT-REBOOT), as phones do at a place they know."""

    def born() -> socket.socket:
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, f"m{number}".encode())
        made.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        made.settimeout(3.0)
        made.bind(("", 68))
        return made

    hardware = bytes.fromhex(mac(number).replace(":", ""))
    head = struct.pack("!BBBBIHH16x6s10x192x", 1, 1, 6, 0, number + 1, 0, 0x8000, hardware)
    options = b"\x63\x82\x53\x63\x35\x01\x03" + b"\x32\x04" + socket.inet_aton(ip(number)) + b"\xff"
    answers: list[bytes] = []

    def answered() -> bool:
        with suppress(TimeoutError):
            phone.sendto(head + options, ("255.255.255.255", 67))
            while not answers:
                answer = phone.recv(2048)
                if answer[4:8] == struct.pack("!I", number + 1):  # else one to another phone: they are broadcast
                    answers.append(answer)
        return bool(answers)

    with in_namespace(space, born) as phone:
        until(answered, 30)
    assert answers[0][16:20] == socket.inet_aton(ip(number))


def test_250_phones_log_in_over_the_pages_sixteen_at_a_time(plaza: Whole, hall: str) -> None:
    command = [sys.executable, str(ROOT / "tests/net/crowd_login.py"), str(plaza.trust), ip(0), str(PHONES)]
    done = subprocess.run(["ip", "netns", "exec", hall, *command], check=True, capture_output=True, text=True)
    assert json.loads(done.stdout) == {"online": PHONES, "wrong": []}
    online = plaza.online()
    assert {(s["ip"], s["mac"]) for s in online} == {(ip(n), mac(n)) for n in range(PHONES)}


@pytest.mark.needs("chromium")
@pytest.mark.parametrize("method", ["one_tap", "email_code", "voucher"])
def test_a_phones_browser_is_led_from_its_check_to_the_internet_and_back(
    plaza: Whole, tmp_path: Path, method: str
) -> None:
    phone, codes = plaza.phone(), []
    if method == "voucher":
        codes = json.loads(plaza.hiroba("voucher", "make", "--count", "1", "--minutes", "20", "--json"))["codes"]
    script = [sys.executable, str(ROOT / "tests/net/phone_browser.py"), str(plaza.trust), str(tmp_path), method, *codes]
    with ThreadPoolExecutor(1) as hand:
        browsing = hand.submit(phone.run, *script)
        if method == "email_code":
            until(lambda: bool(plaza.mail.taken) or browsing.done(), 120)
            code = re.search(r"\b[0-9]{6}\b", plaza.mail.taken[-1].text)
            assert code
            (tmp_path / "new").write_text(code[0])
            (tmp_path / "new").rename(tmp_path / "code")
        done = browsing.result()
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout) == {
        "led_to": f"https://{PORTAL}/?d=apple",
        "first": "welcome",
        "online_in": "vi",
        "after": "Success",
        "at_last": "ended",
    }


@pytest.mark.needs("apt")
def test_networkmanager_sees_the_portal_and_then_the_internet(plaza: Whole, tmp_path: Path) -> None:
    phone = Phone(plaza.plug("02:00:5e:40:00:01"), "02:00:5e:40:00:01", tmp_path, plaza.trust)
    with NetworkManager(phone.space) as system:
        until(lambda: "eth0:connected" in system.ask("-t", "-f", "DEVICE,STATE", "device").splitlines(), 60)
        assert system.ask("networking", "connectivity", "check") == "portal"
        assert page_of(phone.log_in()) == "online"
        assert system.ask("networking", "connectivity", "check") == "full"
