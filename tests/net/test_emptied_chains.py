"""N6, N7: another program empties one chain of the gate's table, and nobody puts it back: nothing passes without it."""

from __future__ import annotations

import re
import signal

import pytest

from tests.net.topology import Topology

pytestmark = pytest.mark.needs("root", "nft", "ip")


@pytest.fixture(scope="module")
def leaks(plaza: Topology) -> dict[str, set[str]]:
    """Chain -> what a phone without a session gets through while it is empty; "" while none is."""
    gate = plaza.start_gate()
    plaza.login(gate, "ended")
    gate.end(ip=plaza.phones["ended"].ip4)
    plaza.stop_gate(signal.SIGKILL)
    table = plaza.nft("list", "table", "inet", "hiroba")
    found = {"": plaza.leaks("attacker")}
    for chain in re.findall(r"chain (\w+) {", table):
        plaza.nft("flush", "chain", "inet", "hiroba", chain)
        found[chain] = plaza.leaks("attacker") | plaza.leaks("ended")
        plaza.start_gate()  # puts the table back
        plaza.stop_gate(signal.SIGKILL)
    return found


def test_every_kind_of_chain_was_emptied(leaks: dict[str, set[str]]) -> None:
    assert leaks.keys() >= {"arrive", "arrive_0", "portal", "portal_0", "forward", "up_0", "down_0", "box", "box_0"}


def test_nothing_passes_through_an_emptied_chain(leaks: dict[str, set[str]]) -> None:
    assert {chain: passed - leaks[""] for chain, passed in leaks.items() if passed - leaks[""]} == {}
