"""The virtual chip answers like a chip, whatever it is sent."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.card import apdu
from device.card.apdu import Command
from device.card.virtual.card import (
    INPUT_SUPPORT,
    JPKI,
    MADE_UP_NUMBER,
    CardImage,
    DataFile,
    PinFile,
    TriesFile,
    TriesInMemory,
    VirtualCard,
    load_image,
)
from device.card.virtual.pki import TestPki

SMALL = CardImage(
    {
        JPKI: {0x0006: DataFile(b"token"), 0x0018: PinFile(b"1234", 3)},
        INPUT_SUPPORT: {0x0001: DataFile(b"\xff\x10\x0c" + MADE_UP_NUMBER, pin=0x0011), 0x0011: PinFile(b"1234", 3)},
    }
)
STATUS = apdu.pin_status(0x98).encode()


@given(
    st.lists(st.binary(max_size=20) | st.sampled_from([apdu.select_application(JPKI).encode(), STATUS]), max_size=20)
)
def test_any_bytes_get_a_status_word(commands: list[bytes]) -> None:
    card = VirtualCard(SMALL, TriesInMemory())
    for command in commands:
        answer = card.transmit(command)
        assert len(answer) >= 2
        assert answer[-2] & 0xF0 in {0x60, 0x90}


@given(st.lists(st.sampled_from([b"1234", b"0000", b"9999", b"12345", b"1"]), max_size=12))
def test_tries_never_grow_without_the_right_pin(typed: list[bytes]) -> None:
    card = VirtualCard(SMALL, TriesInMemory())
    card.transmit(apdu.select_application(JPKI).encode())
    left = 3
    for pin in typed:
        answer = card.transmit(apdu.verify(0x98, pin).encode())
        after = card.transmit(STATUS)[-1] & 0xF
        assert after == (3 if pin == b"1234" and left else max(0, left - 1))
        assert (answer == b"\x90\x00") == (pin == b"1234" and left > 0)
        left = after


def _card(pki: TestPki) -> VirtualCard:
    return VirtualCard(load_image(pki.cards / "demo"), TriesInMemory())


@pytest.mark.parametrize(
    ("command", "sw"),
    [
        (Command(0x00, 0x24, 0x01, 0x80, b"1234"), "6d00"),
        (Command(0x90, 0xB0, 0x00, 0x00, le=256), "6e00"),
        (Command(0x00, 0x2A, 0x00, 0x80, b"x", 256), "6e00"),
        (apdu.select_file(0x0042), "6a82"),
        (apdu.select_application(b"\xa0\x00\x00"), "6a82"),
        (Command(0x00, 0xA4, 0x09, 0x0C, b"\x00\x0a"), "6a86"),
        (apdu.read_short_file(0x01, 256), "6982"),
        (apdu.read_short_file(0x17, 256), "6981"),
        (apdu.read_binary(0, 256), "6986"),
        (apdu.verify(0x80, b"1234"), "6a88"),
    ],
)
def test_what_a_chip_refuses_is_told_by_its_status_word(pki: TestPki, command: Command, sw: str) -> None:
    card = _card(pki)
    card.transmit(apdu.select_application(JPKI).encode())
    assert card.transmit(command.encode())[-2:].hex() == sw


def test_the_signing_credential_opens_only_with_its_password(pki: TestPki) -> None:
    card = _card(pki)
    card.transmit(apdu.select_application(JPKI).encode())
    assert card.transmit(apdu.pin_status(0x9B).encode()).hex() == "63c5"
    assert card.transmit(apdu.verify(0x9B, b"TEST1234").encode()).hex() == "9000"
    assert card.transmit(apdu.read_short_file(0x01, 65536).encode())[:2] == b"\x30\x82"


def test_another_application_drops_the_pin(pki: TestPki) -> None:
    card = _card(pki)
    for command in (apdu.select_application(JPKI), apdu.verify(0x98, b"1234"), apdu.select_application(INPUT_SUPPORT)):
        assert card.transmit(command.encode()) == b"\x90\x00"
    card.transmit(apdu.select_application(JPKI).encode())
    card.transmit(apdu.select_file(0x17).encode())
    assert card.transmit(apdu.sign(b"x").encode()).hex() == "6982"


def test_spent_tries_survive_a_power_down(tmp_path: Path) -> None:
    for left in (2, 1, 0):
        card = VirtualCard(SMALL, TriesFile(tmp_path / "tries.json"))
        card.transmit(apdu.select_application(JPKI).encode())
        assert card.transmit(apdu.verify(0x98, b"0000").encode())[-1] == 0xC0 | left
    assert card.transmit(apdu.verify(0x98, b"1234").encode()).hex() == "6983"


@settings(max_examples=20)
@given(st.integers(0, 2000), st.integers(1, 256))
def test_reads_give_the_piece_asked_for(offset: int, length: int) -> None:
    content = bytes(range(256)) * 6
    card = VirtualCard(CardImage({JPKI: {0x000A: DataFile(content)}}), TriesInMemory())
    card.transmit(apdu.select_application(JPKI).encode())
    card.transmit(apdu.select_file(0x0A).encode())
    answer = card.transmit(apdu.read_binary(offset, length).encode())
    expected = content[offset : offset + length] + b"\x90\x00" if offset < len(content) else b"\x6b\x00"
    assert answer == expected
