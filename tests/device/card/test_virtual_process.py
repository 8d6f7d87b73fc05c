"""The state file that works the virtual card, and the loop that follows it over a vpcd of the test's own."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.card import apdu
from device.card.virtual import process
from device.card.virtual.card import ATR, JPKI
from device.card.virtual.pki import TestPki
from device.card.virtual.process import CardProcess, CardState


def test_a_missing_or_broken_file_means_no_card(tmp_path: Path) -> None:
    path = tmp_path / "card.json"
    assert process.read_state(path) == CardState(inserted=False)
    path.write_text("{")
    assert process.read_state(path) == CardState(inserted=False)


def test_each_word_changes_what_it_names_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "card.json"
    process.choose(path, "older")
    process.slow_down(path, 20)
    process.insert(path)
    assert process.read_state(path) == CardState(inserted=True, card="older", apdu_delay_ms=20)
    process.remove(path)
    assert process.insert(path, "juki") == CardState(inserted=True, card="juki", apdu_delay_ms=20)
    assert [file.name for file in path.parent.iterdir()] == ["card.json"]


def test_the_cards_to_choose_from_are_those_in_the_folder(pki: TestPki) -> None:
    assert {"demo", "older", "juki", "phone", "expired", "unknown_ca", "other"} <= set(process.card_names(pki.cards))


class Vpcd:
    """The other end of the wire."""

    def __init__(self) -> None:
        self.server = socket.create_server(("127.0.0.1", 0))
        self.server.settimeout(60)
        self.port = int(self.server.getsockname()[1])

    def __enter__(self) -> Vpcd:
        return self

    def __exit__(self, *_: object) -> None:
        self.server.close()


def _send(wire: socket.socket, message: bytes) -> None:
    wire.sendall(len(message).to_bytes(2, "big"))
    wire.sendall(message)


def _received(wire: socket.socket) -> bytes:
    wire.settimeout(60)
    answer = wire.recv(4096)
    assert len(answer) == 2 + int.from_bytes(answer[:2], "big")
    return answer[2:]


def _stepped_until(card: CardProcess, done: Callable[[], object]) -> None:
    for _ in range(100):
        card.step()
        if done():
            return
    pytest.fail("nothing happened")


def test_the_card_answers_on_the_wire_while_it_lies_there(pki: TestPki, tmp_path: Path) -> None:
    state = tmp_path / "card.json"
    process.insert(state, "demo")
    with Vpcd() as vpcd:
        card = CardProcess(state, pki.cards, "127.0.0.1", vpcd.port)
        card.step()
        wire, _ = vpcd.server.accept()
        with wire:
            for message, answer in (
                (b"\x04", ATR),
                (apdu.select_application(JPKI).encode(), b"\x90\x00"),
                (b"\x02\x01", b"\x67\x00"),
            ):
                _send(wire, message)
                card.step()
                assert _received(wire) == answer
            process.remove(state)
            _stepped_until(card, lambda: _hung_up(wire))
            assert card.inserted_card is None


def _hung_up(wire: socket.socket) -> bool:
    wire.settimeout(0.01)
    try:
        return wire.recv(1) == b""
    except TimeoutError:
        return False


def test_a_reset_ends_what_was_selected(pki: TestPki, tmp_path: Path) -> None:
    state = tmp_path / "card.json"
    process.insert(state, "demo")
    with Vpcd() as vpcd:
        card = CardProcess(state, pki.cards, "127.0.0.1", vpcd.port)
        card.step()
        wire, _ = vpcd.server.accept()
        with wire:
            _send(wire, apdu.select_application(JPKI).encode())
            card.step()
            assert _received(wire) == b"\x90\x00"
            _send(wire, b"\x02")
            card.step()
            _send(wire, apdu.select_file(0x000A).encode())
            card.step()
            assert _received(wire) == b"\x6a\x82"
        card.withdraw()


@pytest.mark.parametrize("name", ["nobody", "", ".."])
def test_a_card_nobody_made_is_never_inserted(pki: TestPki, tmp_path: Path, name: str) -> None:
    process.insert(tmp_path / "card.json", name)
    with Vpcd() as vpcd:
        card = CardProcess(tmp_path / "card.json", pki.cards, "127.0.0.1", vpcd.port)
        card.step()
        assert card.inserted_card is None


def test_a_card_is_never_exchanged_within_one_look_of_pcscd(pki: TestPki, tmp_path: Path) -> None:
    process.insert(tmp_path / "card.json", "demo")
    with Vpcd() as vpcd:
        card = CardProcess(tmp_path / "card.json", pki.cards, "127.0.0.1", vpcd.port)
        card.step()
        process.choose(tmp_path / "card.json", "older")
        _stepped_until(card, lambda: card.inserted_card is None)
        _stepped_until(card, lambda: card.inserted_card == "older")
        card.withdraw()


def test_it_waits_for_a_vpcd_that_is_not_there_yet(pki: TestPki, tmp_path: Path) -> None:
    process.insert(tmp_path / "card.json", "demo")
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        card = CardProcess(tmp_path / "card.json", pki.cards, "127.0.0.1", int(server.getsockname()[1]))
        card.step()
        assert card.inserted_card is None
        server.listen()
        _stepped_until(card, lambda: card.inserted_card == "demo")
        card.withdraw()


@given(st.binary(max_size=60))
def test_no_content_of_the_state_file_is_an_error(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("state") / "card.json"
    path.write_bytes(content)
    assert isinstance(process.read_state(path), CardState)
