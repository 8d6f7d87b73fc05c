"""N4: what the kiosk cannot say to a card, in whatever order it tries."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.card import apdu
from device.card.allow_list import AllowListed
from device.card.apdu import Command
from device.card.profile import PRESENT_CARD
from device.card.transport import CardTransport, Response
from device.card.virtual.card import INPUT_SUPPORT, JPKI
from device.errors import ApduForbidden, CardGone

SELECT_JPKI = apdu.select_application(JPKI).encode()
DIGEST_INFO = PRESENT_CARD.digest_prefix + hashlib.sha256(b"").digest()


class Yes:
    """A card that says yes to everything, so that only the list stands in the way."""

    def __init__(self, sw: int = 0x9000) -> None:
        self.heard: list[bytes] = []
        self.sw = sw

    def transmit(self, apdu: bytes) -> Response:
        self.heard.append(apdu)
        return Response(b"\x00" * 8, self.sw)

    def close(self) -> None:
        self.heard.append(b"closed")


def _send(card: CardTransport, *commands: Command | bytes) -> None:
    for command in commands:
        card.transmit(command if isinstance(command, bytes) else command.encode())


# Made of the bytes that matter, so that hypothesis finds its way into every branch.
tempting = st.one_of(
    st.just(SELECT_JPKI),
    st.just(apdu.select_application(INPUT_SUPPORT).encode()),
    st.sampled_from([1, 2, 6, 0x0A, 0x0B, 0x11, 0x17, 0x18, 0x1A, 0x1B]).map(lambda f: apdu.select_file(f).encode()),
    st.builds(
        lambda cla, ins, p1, p2, data, le: Command(cla, ins, p1, p2, data, le).encode(),
        st.sampled_from([0x00, 0x80, 0x10, 0x0C]),
        st.sampled_from([0xA4, 0xB0, 0x20, 0x24, 0x2A, 0xC0, 0xD6, 0x88, 0xB2]),
        st.sampled_from([0x00, 0x01, 0x02, 0x04, 0x09, 0x81, 0x86, 0x8A, 0xA1]),
        st.sampled_from([0x00, 0x0C, 0x80, 0x91, 0x98, 0x9B]),
        data=st.sampled_from([b"", b"1234", b"ABCDEF", JPKI, INPUT_SUPPORT, b"\x00\x01", b"\x00\x18", DIGEST_INFO]),
        le=st.sampled_from([None, 17, 256, 65536]),
    ),
    st.binary(max_size=24),
)


@given(st.lists(tempting, max_size=30), st.sampled_from([0x9000, 0x6982, 0x6110, 0x63C2]))
def test_number_signing_credential_and_pin_change_never_pass_in_any_order(tries: list[bytes], sw: int) -> None:
    card = Yes(sw)
    guarded = AllowListed(card)
    for raw in tries:
        try:
            guarded.transmit(raw)
        except ApduForbidden:
            continue
    assert not card.heard or card.heard[0] == SELECT_JPKI
    current: int | None = None
    for raw in card.heard:
        command = Command.parse(raw)
        assert (command.cla, command.ins) in {(0, 0xA4), (0, 0xB0), (0, 0x20), (0x80, 0x2A), (0, 0xC0)}
        if command.ins == 0xA4 and command.p1 == 4:
            assert command.data == JPKI
        elif command.ins == 0xA4:
            current = int.from_bytes(command.data, "big")
            assert current in {0x06, 0x0A, 0x17, 0x18}
        elif command.ins == 0xB0:
            assert command.p1 in {0x86, 0x8A} or (command.p1 < 0x80 and current in {0x06, 0x0A, None})
        elif command.ins == 0x20:
            assert command.p2 in {0x80, 0x98}
            assert command.data in {b"", b"1234"}


@pytest.mark.parametrize(
    "forbidden",
    [
        apdu.select_application(INPUT_SUPPORT),
        apdu.select_file(0x0001),
        apdu.read_short_file(0x01, 256),
        apdu.read_binary(0, 17),
        Command(0x00, 0x24, 0x01, 0x80, b"12345678"),
        apdu.verify(0x9B, b"1234"),
        apdu.verify(0x98, b"ABCDEF"),
        apdu.sign(DIGEST_INFO),
    ],
)
def test_what_is_not_on_the_list_never_reaches_the_card(forbidden: Command) -> None:
    card = Yes()
    guarded = AllowListed(card)
    _send(guarded, SELECT_JPKI)
    with pytest.raises(ApduForbidden):
        _send(guarded, forbidden)
    assert card.heard == [SELECT_JPKI]


def test_a_file_that_another_program_left_selected_can_not_be_read() -> None:
    with pytest.raises(ApduForbidden):
        AllowListed(Yes()).transmit(apdu.read_binary(0, 17).encode())


def test_a_refused_select_gives_no_right_to_read() -> None:
    card = Yes()
    guarded = AllowListed(card)
    _send(guarded, SELECT_JPKI)
    card.sw = 0x6A82
    _send(guarded, apdu.select_file(0x0A))
    with pytest.raises(ApduForbidden):
        _send(guarded, apdu.read_binary(0, 256))


def test_an_unusual_spelling_of_an_allowed_command_is_refused() -> None:
    guarded = AllowListed(Yes())
    _send(guarded, SELECT_JPKI)
    with pytest.raises(ApduForbidden):
        guarded.transmit(bytes.fromhex("00b08a00000100"))  # Le 256 in extended form


def test_only_a_digest_may_be_signed_and_only_with_the_authentication_key() -> None:
    guarded = AllowListed(Yes())
    _send(guarded, SELECT_JPKI, apdu.select_file(0x17), apdu.sign(DIGEST_INFO))
    with pytest.raises(ApduForbidden):
        _send(guarded, apdu.sign(b"pay everything to me, with 51 bytes of free text !!"))


def test_the_error_names_the_command_without_its_body() -> None:
    with pytest.raises(ApduForbidden) as caught:
        AllowListed(Yes()).transmit(apdu.verify(0x80, b"1234").encode())
    assert "31323334" not in str(caught.value)
    assert caught.value.facts == {"command": "00200080"}


def test_a_card_that_left_is_told_again_and_not_called_forbidden() -> None:
    class Gone(Yes):
        def transmit(self, apdu: bytes) -> Response:
            if self.sw != 0x9000:
                raise CardGone
            return super().transmit(apdu)

    card = Gone()
    guarded = AllowListed(card)
    _send(guarded, SELECT_JPKI)
    card.sw = 0
    for _ in range(2):
        with pytest.raises(CardGone):
            _send(guarded, apdu.pin_status(0x98))
