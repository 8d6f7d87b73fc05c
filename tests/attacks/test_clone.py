"""A copied card is noticed at the next word from either, closes the key for both, and staff are told."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from device.clock import SystemClock
from provisioning.cityhall.boxes.authority import Peer
from provisioning.cityhall.boxes.clones import Link, Verdict, judge, take
from provisioning.cityhall.errors import EnrolmentRefused
from provisioning.cityhall.settings import CHAIN_HEADER
from provisioning.cityhall.tables import Box, BoxLine
from provisioning.cli import hiroba
from provisioning.enrolment.chain import DRAW_SECONDS, chained_call
from provisioning.enrolment.heartbeat import make_heartbeat
from provisioning.enrolment.wiring import BoxConnection
from tests.attacks.clone import call, connection, copy_card
from tests.fixtures.cityhall_server import CityHallServer

pytestmark = pytest.mark.needs("nginx")
NAME = "plaza-1"


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[CityHallServer]:
    with CityHallServer(tmp_path, workers=1) as server:
        yield server


@pytest.fixture
def config(tmp_path: Path, hall: CityHallServer) -> Path:
    file = tmp_path / "site.toml"
    file.write_text(
        f'[box]\nname = "{NAME}"\n[city]\nname_ja = "試験市"\nname_en = "TEST"\ntelephone = "06-0000-0000"\n'
        f'[cityhall_link]\nhost = "localhost"\nca = "{hall.ca}"\n'
        f"enrol_port = {hall.settings.enrol_port}\nbox_port = {hall.settings.box_port}\n"
    )
    return file


@pytest.fixture
def box(tmp_path: Path, hall: CityHallServer, config: Path) -> BoxConnection:
    """Enrolled, and heard once."""
    line = connection(tmp_path / "card", config)
    line.steps.enrol(hall.service.records.new_code(NAME, "hanako", int(SystemClock().now().timestamp()), 30))
    assert hall.service.enrolments.approve(line.steps.identity.pending(), "hanako")
    assert line.steps.poll() is not None
    assert call(line) == ""
    return line


def state_of(hall: CityHallServer) -> str:
    found = hall.service.records.box(NAME)
    assert found is not None
    return found.state


def told(hall: CityHallServer) -> list[str]:
    return [action.action for action in hall.service.records.staff_actions(NAME)]


def test_a_copy_that_speaks_closes_both_at_the_originals_next_word(
    tmp_path: Path, hall: CityHallServer, config: Path, box: BoxConnection
) -> None:
    card = copy_card(tmp_path / "card", tmp_path / "copied")
    clone = [sys.executable, "-m", "tests.attacks.clone", str(card), str(config)]
    assert subprocess.run(clone, capture_output=True, text=True, check=True).stdout == "taken"
    assert call(box) == "box_forked"
    assert state_of(hall) == "forked"
    assert told(hall)[0] == "forked"
    assert subprocess.run(clone, capture_output=True, text=True, check=True).stdout == "box_forked"
    with pytest.raises(EnrolmentRefused):
        box.steps.next_step(force=True)


def test_a_copy_that_only_renews_is_noticed_too(
    tmp_path: Path, hall: CityHallServer, config: Path, box: BoxConnection
) -> None:
    clone = connection(copy_card(tmp_path / "card", tmp_path / "copied"), config)
    assert clone.steps.next_step(force=True) is not None
    assert call(box) == "box_forked"
    assert state_of(hall) == "forked"


def test_a_copy_of_an_earlier_release_that_renews_and_speaks_is_noticed_by_its_serial(
    tmp_path: Path, hall: CityHallServer, config: Path, box: BoxConnection
) -> None:
    """Neither brings a link; the old credential comes after its successor was seen."""
    peer, service = hall.service.records.box(NAME), hall.service.enrolments
    assert peer is not None
    first = peer.certificate_serial
    assert service.release(NAME, "hanako")  # of a release without the chain
    assert isinstance(service.admit(Peer(NAME, peer.key, first)), Box)
    assert isinstance(service.renew(NAME, box.steps.identity.request(NAME)), str)
    renewed = hall.service.records.box(NAME)
    assert renewed is not None
    service.admit(Peer(NAME, peer.key, first))  # the answer may have been lost: the former one goes on
    assert state_of(hall) == "active"
    service.admit(Peer(NAME, peer.key, renewed.certificate_serial))
    service.admit(Peer(NAME, peer.key, first))
    assert state_of(hall) == "forked"


def test_a_copy_that_hides_behind_an_earlier_release_is_noticed(hall: CityHallServer, box: BoxConnection) -> None:
    """It has the last serial and brings no link, as releases without the chain do."""
    known = hall.service.records.box(NAME)
    assert known is not None
    hall.service.enrolments.admit(Peer(NAME, known.key, known.certificate_serial))
    assert call(box) == "box_forked"


def test_an_answer_that_was_lost_is_no_fork(tmp_path: Path, hall: CityHallServer, box: BoxConnection) -> None:
    """City hall took the pair and the box does not know it: it brings the same one, until it is told."""
    chain = tmp_path / "card/enrolment/chain.json"
    for start in ("one", "two", "three"):
        again = replace(box.steps.city_hall, started=partial(str, start))
        again.post([make_heartbeat(box.sources)])
        chain.write_bytes(chain.read_bytes().replace(b"true", b"false"))  # as the power cut it
        for _ in range(2):
            again.post([make_heartbeat(box.sources)])
    assert state_of(hall) == "active"


def test_the_card_is_written_to_at_a_start_and_every_few_hours(tmp_path: Path) -> None:
    seen = []
    for now, boot in [(0, "a"), (300, "a"), (600, "a"), (700, "b"), (DRAW_SECONDS + 700, "b")]:
        with chained_call(tmp_path, now, boot) as call:
            call.answered = call.header.rpartition("/")[2]
            seen.append(call.header)
    assert len(set(seen)) == 3
    assert seen[0] == seen[1] == seen[2]


def test_a_box_restored_from_a_back_up_goes_on_once_staff_release_it(
    tmp_path: Path, hall: CityHallServer, config: Path, box: BoxConnection
) -> None:
    card = copy_card(tmp_path / "card", tmp_path / "spare")
    (card / "enrolment/chain.json").unlink()  # a back-up does not hold it
    restored = connection(card, config)
    words = ["cityhall", "release", NAME, "--config", str(tmp_path / "cityhall.toml")]
    release = [*words, "--state", str(hall.state)]
    assert call(restored) == "box_forked"
    assert CliRunner().invoke(hiroba, release).exit_code == 0
    assert [call(restored), call(restored)] == ["", ""]
    assert call(box) == "box_forked"
    assert told(hall)[:2] == ["forked", "released"]


def test_release_beforehand_spares_a_restored_box_the_closing(
    tmp_path: Path, hall: CityHallServer, config: Path, box: BoxConnection
) -> None:
    card = copy_card(tmp_path / "card", tmp_path / "spare")
    shutil.rmtree(tmp_path / "card")
    (card / "enrolment/chain.json").unlink()
    assert hall.service.enrolments.release(NAME, "hanako")
    assert call(connection(card, config)) == ""
    assert state_of(hall) == "active"


def test_a_forked_key_can_be_revoked_and_not_released_after(hall: CityHallServer, box: BoxConnection) -> None:
    assert call(box) == ""
    assert hall.service.enrolments.revoke(NAME, "hanako")
    assert not hall.service.enrolments.release(NAME, "hanako")


HEX = st.text("0123456789abcdef", min_size=32, max_size=32)


@given(st.lists(HEX, min_size=2, max_size=8, unique=True), st.data())
def test_of_two_that_draw_differently_the_second_is_a_fork(draws: list[str], data: st.DataObject) -> None:
    row = BoxLine(box=NAME, chain="", chain_before="")
    links = [Link(have, then) for have, then in zip(["", *draws], draws[:-1], strict=False)]
    for link in links:
        assert take(row, link) is Verdict.TAKEN
        assert take(row, link) is Verdict.REPEATED
    old = data.draw(st.sampled_from([link.have for link in links]))
    assert judge(row, Link(old, draws[-1])) is Verdict.FORKED


def test_the_header_is_the_one_that_nginx_lets_through() -> None:
    assert CHAIN_HEADER.replace("-", "").isalnum()
