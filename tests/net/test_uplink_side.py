"""The portal answers phones and the box itself, and nobody on the uplink's side: at no address of the box, in neither
family, not by the form that sends mail; and not with one of its guards away.
"""

from __future__ import annotations

import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import pytest

from captive_portal.gate.client import SocketGateClient
from tests.net.topology import Topology, in_namespace
from tests.net.whole import Whole

pytestmark = pytest.mark.needs("root", "nft", "ip", "nginx", "dnsmasq", "curl", "dhclient")
ADDRESSES = ("198.18.0.2", "2001:db8:f::2", "10.90.0.1", "fd00:90::1")
"""The box's own: on the uplink and on the spot."""
PORTS, OTHER_PORT = (8180, 8181), 8101


@pytest.fixture(scope="module")
def gate(plaza: Topology) -> Iterator[SocketGateClient]:
    """The gate; the portal's ports and another one listen on every address."""
    with ExitStack() as stack:
        for port in (*PORTS, OTHER_PORT):
            listener = in_namespace(plaza.gateway, lambda: socket.socket(socket.AF_INET6, socket.SOCK_STREAM))
            stack.callback(listener.close)
            listener.bind(("::", port))
            listener.listen(64)
        yield plaza.start_gate()


def reached(plaza: Topology) -> set[tuple[str, int]]:
    """What a machine on the uplink's side connects to."""
    return {(to, port) for to in ADDRESSES for port in PORTS if connects(plaza, to, port)}


def connects(plaza: Topology, to: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in to else socket.AF_INET
    with in_namespace(plaza.internet, lambda: socket.socket(family, socket.SOCK_STREAM)) as far, suppress(OSError):
        far.settimeout(0.3)
        far.connect((to, port))
        return True
    return False


def test_no_address_of_the_box_answers_the_uplink(plaza: Topology, gate: SocketGateClient) -> None:
    assert connects(plaza, "198.18.0.2", OTHER_PORT)  # the way is open: another service of the box answers
    assert connects(plaza, "2001:db8:f::2", OTHER_PORT)
    assert reached(plaza) == set()


@pytest.mark.parametrize("table", ["hiroba", "hiroba_guard"])
def test_nor_with_a_piece_of_one_table_away(plaza: Topology, gate: SocketGateClient, table: str) -> None:
    plaza.stop_gate(signal.SIGKILL)
    found = {}
    for damage in (("flush", "chain", "box"), ("delete", "chain", "box"), ("delete", "table")):
        action, kind, *chain = damage
        plaza.nft(action, kind, "inet", table, *chain)
        found[damage] = reached(plaza)
        plaza.start_gate()
        plaza.stop_gate(signal.SIGKILL)
    plaza.start_gate()
    assert {damage: names for damage, names in found.items() if names} == {}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    made = Whole(tmp_path_factory.mktemp("uplink"))
    try:
        made.build()
        subprocess.run(["ip", "-n", made.internet, "route", "add", "10.90.0.0/22", "via", "198.18.0.2"], check=True)
        yield made
    finally:
        made.close()


def from_uplink(whole: Whole, *words: str) -> tuple[int, str]:
    """(curl's exit code, what it printed) on a machine on the uplink's side."""
    command = ["ip", "netns", "exec", whole.internet, "curl", "-s", "--max-time", "3", "-k", *words]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    return done.returncode, done.stdout


FORM = ("-d", "method=email_code", "-d", "address=visitor@example.jp", "-d", "token=1.2")
URLS = ("http://198.18.0.2:8180", "https://198.18.0.2:8181", "http://10.90.0.1", "https://10.90.0.1")


@pytest.mark.parametrize("url", URLS)
def test_nothing_is_said_and_no_mail_sent_to_the_uplinks_side(whole: Whole, url: str) -> None:
    before = len(whole.mail.taken)
    assert from_uplink(whole, f"{url}/")[1] == ""
    assert from_uplink(whole, *FORM, f"{url}/login")[1] == ""
    assert len(whole.mail.taken) == before


@pytest.fixture(scope="module")
def unfiltered(whole: Whole) -> Whole:
    """Without any packet filter, and without the gate that would put it back: for the tests at the end."""
    whole.kill("gate")
    subprocess.run(["ip", "netns", "exec", whole.gateway, "nft", "flush", "ruleset"], check=True)
    return whole


@pytest.mark.parametrize("url", URLS[:2])
def test_nginx_by_itself_closes_the_connection_without_a_word(unfiltered: Whole, url: str) -> None:
    code, said = from_uplink(unfiltered, f"{url}/terms", "-H", "Host: wifi.example.jp")
    assert said == ""
    assert code in {52, 56}  # connected; closed or reset before an answer
    inside = ["ip", "netns", "exec", unfiltered.gateway, "curl", "-s", "http://10.90.0.1:8180/terms"]
    assert "data-page" in subprocess.run(inside, check=True, capture_output=True, text=True).stdout
