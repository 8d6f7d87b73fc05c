"""Command APDUs and the wrappers around a transport."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.card import apdu
from device.card.apdu import Command, Continued, Counted
from device.card.transport import Response
from device.errors import CardProtocolError


class Scripted:
    """A card that gives the answers it was told, one a command, and keeps what it was sent."""

    def __init__(self, *answers: tuple[bytes, int]) -> None:
        self.sent: list[bytes] = []
        self._answers = list(answers)

    def transmit(self, apdu: bytes) -> Response:
        self.sent.append(apdu)
        return Response(*(self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]))

    def close(self) -> None:
        self.sent.append(b"closed")


octet = st.integers(0, 255)
commands = st.builds(
    Command,
    octet,
    octet,
    octet,
    octet,
    st.binary(max_size=300),
    st.none() | st.integers(1, 256) | st.integers(257, 65536),
)


@given(commands)
def test_every_command_survives_encode_and_parse(command: Command) -> None:
    assert Command.parse(command.encode()) == command


@given(st.binary(max_size=300))
def test_any_bytes_are_parsed_or_refused_with_a_value_error(raw: bytes) -> None:
    try:
        command = Command.parse(raw)
    except ValueError:
        return
    assert Command.parse(command.encode()) == command


@pytest.mark.parametrize(
    ("command", "hexadecimal"),
    [
        (apdu.select_application(bytes.fromhex("D392F000260100000001")), "00a4040c0ad392f000260100000001"),
        (apdu.select_file(0x0018), "00a4020c020018"),
        (apdu.pin_status(0x80), "00200080"),
        (apdu.verify(0x80, b"1234"), "002000800431323334"),
        (apdu.read_binary(0x0100, 256), "00b0010000"),
        (apdu.read_short_file(0x0A, 65536), "00b08a00000000"),
        (apdu.sign(b"\x30\x31"), "802a008002303100"),
    ],
)
def test_the_commands_are_those_of_the_facts(command: Command, hexadecimal: str) -> None:
    assert command.encode().hex() == hexadecimal


@pytest.mark.parametrize("raw", ["", "00a404", "00a4040c05aa", "00a4040c000000aa", "00b0000000aa", "0020008004313233"])
def test_malformed_commands_are_refused(raw: str) -> None:
    with pytest.raises(ValueError, match=r"header|length|Lc"):
        Command.parse(bytes.fromhex(raw))


def test_more_data_is_fetched_until_the_card_is_done() -> None:
    card = Scripted((b"ab", 0x6102), (b"cd", 0x6100), (b"ef", 0x9000))
    assert Continued(card).transmit(apdu.read_binary(0, 4).encode()) == Response(b"abcdef", 0x9000)
    assert [sent.hex() for sent in card.sent[1:]] == ["00c0000002", "00c0000000"]


def test_a_wrong_length_is_corrected_once() -> None:
    card = Scripted((b"", 0x6C20), (b"x" * 32, 0x9000))
    assert len(Continued(card).transmit(apdu.read_binary(0, 256).encode()).data) == 32
    assert card.sent[1].hex() == "00b0000020"


def test_a_card_that_never_ends_is_a_protocol_error() -> None:
    with pytest.raises(CardProtocolError):
        Continued(Scripted((b"x", 0x6101))).transmit(apdu.read_binary(0, 256).encode())


def test_a_trace_shows_neither_pin_nor_answer() -> None:
    lines: list[str] = []
    counted = Counted(Scripted((b"1234-secret", 0x63C2)), lines.append)
    counted.transmit(apdu.verify(0x80, b"1234").encode())
    assert lines == ["00 20 00 80 +5 -> 11 63c2"]
    assert counted.count == 1
