"""The rendered configuration in a real dnsmasq, two spots side by side: what phones are told, by IPv4 and IPv6.

Namespaces of the test's own; a phone is a UDP socket born in one of them.
"""

from __future__ import annotations

import os
import socket
import struct
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from device.secrets import Secret
from provisioning.box.render.files import render
from provisioning.site.reading import read_site
from tests.net.topology import in_namespace

pytestmark = pytest.mark.needs("root", "dnsmasq", "ip")
SITE = Path(__file__).parents[1] / "fixtures" / "render" / "two_spots" / "site.toml"
API = b"https://wifi.example.jp/captive-portal/api"
GATEWAYS = {"br-lan": ["10.90.0.1/22", "2001:db8:90::1/64"], "br-school": ["10.91.0.1/24"]}


def _ip(words: str) -> None:
    subprocess.run(["ip", *words.split()], check=True, capture_output=True)


@pytest.fixture(scope="module")
def plaza(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """interface -> namespace of a phone on it; dnsmasq runs for both spots in the gateway's namespace."""
    folder, tag = tmp_path_factory.mktemp("dnsmasq"), f"hr{os.getpid()}"
    site = read_site(SITE)
    assert site.wifi is not None
    files = render(site.wifi, site.box.name, folder, {"wifi/passphrase": Secret(b"TEST-passphrase")})
    (folder / "dnsmasq").mkdir()
    folder.chmod(0o755)
    with ExitStack() as stack:
        for name in ("g", *GATEWAYS):
            _ip(f"netns add {tag}{name}")
            stack.callback(_ip, f"netns delete {tag}{name}")
        for bridge, addresses in GATEWAYS.items():
            _ip(f"-n {tag}g link add {bridge} type veth peer name phone0 netns {tag}{bridge}")
            for address in addresses:
                _ip(
                    f"-n {tag}g address add {address} dev {bridge} nodad"
                    if ":" in address
                    else f"-n {tag}g address add {address} dev {bridge}"
                )
            _ip(f"-n {tag}g link set {bridge} up")
            _ip(f"-n {tag}{bridge} link set phone0 up")
        for name in ("dnsmasq-hall.conf", "dnsmasq-school.conf"):
            (folder / name).write_text(files[name].text, "utf-8")
            command = [
                "ip",
                "netns",
                "exec",
                f"{tag}g",
                "dnsmasq",
                "-k",
                "--user=root",
                "--pid-file=",
                "-C",
                str(folder / name),
            ]
            process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
            stack.callback(process.wait, 10)
            stack.callback(process.terminate)
        yield {bridge: f"{tag}{bridge}" for bridge in GATEWAYS}


def _phone(space: str, family: socket.AddressFamily, port: int) -> socket.socket:
    def born() -> socket.socket:
        made = socket.socket(family, socket.SOCK_DGRAM)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"phone0")
        made.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        made.settimeout(1.0)
        made.bind(("", port))
        return made

    return in_namespace(space, born)


def _ask(phone: socket.socket, question: bytes, where: tuple[str, int] | tuple[str, int, int, int]) -> bytes:
    """The first answer; asked again while dnsmasq starts and addresses settle, at most 20 times."""
    for _ in range(20):
        try:
            phone.sendto(question, where)
            return phone.recv(2048)
        except OSError:
            time.sleep(0.2)
    raise AssertionError("no answer")


def _options(body: bytes) -> dict[int, bytes]:
    """DHCPv4 options (RFC 2132): code, length, value."""
    found, place = {}, 240
    while place < len(body) and body[place] != 255:
        if body[place]:
            found[body[place]] = body[place + 2 : place + 2 + body[place + 1]]
            place += 1 + body[place + 1]
        place += 1
    return found


def _discover(space: str) -> dict[int, bytes]:
    """DHCPDISCOVER without a parameter list, as the poorest of phones sends it; the options of the offer."""
    head = struct.pack("!BBBBIHH16x6s10x192x", 1, 1, 6, 0, 7, 0, 0x8000, bytes.fromhex("02005e100001"))
    with _phone(space, socket.AF_INET, 68) as phone:
        answer = _ask(phone, head + b"\x63\x82\x53\x63" + b"\x35\x01\x01\xff", ("255.255.255.255", 67))
    return {0: answer[16:20], **_options(answer)}


@pytest.mark.parametrize(
    ("interface", "network", "gateway"), [("br-lan", "10.90.", "10.90.0.1"), ("br-school", "10.91.", "10.91.0.1")]
)
def test_each_spot_leases_its_own_addresses_and_names_the_portal(
    plaza: dict[str, str], interface: str, network: str, gateway: str
) -> None:
    offer = _discover(plaza[interface])
    assert socket.inet_ntoa(offer[0]).startswith(network)
    assert offer[114] == API
    assert offer[3] == offer[6] == socket.inet_aton(gateway)


def test_dhcpv6_names_the_portal_when_asked(plaza: dict[str, str]) -> None:
    """RFC 8415 information-request (11) with an option request (6) for 103."""
    question = (
        struct.pack("!I", (11 << 24) | 7) + struct.pack("!HH6s", 1, 6, b"\x00\x03TEST") + struct.pack("!HHH", 6, 2, 103)
    )
    space = plaza["br-lan"]
    index = in_namespace(space, lambda: socket.if_nametoindex("phone0"))
    with _phone(space, socket.AF_INET6, 546) as phone:
        answer = _ask(phone, question, ("ff02::1:2", 547, 0, index))
    assert struct.pack("!HH", 103, len(API)) + API in answer
