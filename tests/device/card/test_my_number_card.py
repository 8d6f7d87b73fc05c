"""The card as the kiosk uses it, over the virtual reader."""

from __future__ import annotations

import pytest

from device.card.apdu import Counted
from device.card.my_number_card import MyNumberCard, PinAccepted, PinStopped, PinWrong
from device.card.transport import CardTransport, Response
from device.card.virtual.card import JPKI, CardImage, DataFile, TriesInMemory, VirtualCard, load_image
from device.card.virtual.pki import TestPki
from device.card.virtual.reader import VirtualReader
from device.errors import CardProtocolError, NotAMyNumberCard
from device.secrets import Pin

RIGHT, WRONG = b"1234", b"9999"


def _reader(pki: TestPki, name: str = "demo") -> VirtualReader:
    return VirtualReader(VirtualCard(load_image(pki.cards / name), TriesInMemory()))


def _faulty(pki: TestPki, sw: int) -> VirtualReader:
    return VirtualReader(VirtualCard(load_image(pki.cards / "demo"), TriesInMemory()), lambda inner: _Faulty(inner, sw))


def _opened(reader: VirtualReader) -> MyNumberCard:
    card = MyNumberCard(reader.connect())
    card.select()
    return card


@pytest.mark.parametrize(
    ("short_ef", "extended", "most"), [(True, True, 8), (True, False, 18), (False, True, 18), (False, False, 18)]
)
def test_credential_pin_and_signature_stay_within_the_apdu_budget(
    pki: TestPki, short_ef: bool, extended: bool, most: int
) -> None:
    """The bench's bar counts four attributes too; this product never reads them, so they cost nothing."""
    image = CardImage(load_image(pki.cards / "demo").applications, short_ef, extended)
    counters: list[Counted] = []

    def wrap(inner: CardTransport) -> CardTransport:
        counters.append(Counted(inner))
        return counters[-1]

    card = _opened(VirtualReader(VirtualCard(image, TriesInMemory()), wrap))
    assert card.credential() == pki.credential("demo")
    assert card.tries_left() == 3
    assert card.verify(Pin(RIGHT)) == PinAccepted()
    assert len(card.sign(b"nonce")) == 256
    assert counters[0].count <= most


def test_a_second_signature_costs_one_command(pki: TestPki) -> None:
    lines: list[str] = []
    reader = VirtualReader(
        VirtualCard(load_image(pki.cards / "demo"), TriesInMemory()), lambda inner: Counted(inner, lines.append)
    )
    card = _opened(reader)
    card.verify(Pin(RIGHT))
    card.sign(b"first")
    lines.clear()
    card.sign(b"second")
    assert len(lines) == 1


@pytest.mark.parametrize("name", ["demo", "older"])
def test_a_wrong_pin_tells_the_tries_left(pki: TestPki, name: str) -> None:
    card = _opened(_reader(pki, name))
    assert card.verify(Pin(WRONG)) == PinWrong(2)
    assert card.tries_left() == 2
    assert card.verify(Pin(RIGHT)) == PinAccepted()
    assert card.tries_left() == 3


def test_the_last_try_is_never_spent_not_even_for_the_right_pin(pki: TestPki) -> None:
    reader = _reader(pki)
    card = _opened(reader)
    assert [card.verify(Pin(WRONG)) for _ in range(3)] == [PinWrong(2), PinWrong(1), PinStopped(1)]
    assert card.verify(Pin(RIGHT)) == PinStopped(1)
    card.close()
    assert _opened(reader).tries_left() == 1


def test_a_blocked_card_is_told_before_any_pin(pki: TestPki) -> None:
    tries = TriesInMemory()
    tries.keep("d392f000260100000001/0018", 0)
    card = _opened(VirtualReader(VirtualCard(load_image(pki.cards / "demo"), tries)))
    assert card.tries_left() == 0
    assert card.verify(Pin(RIGHT)) == PinStopped(0)


@pytest.mark.parametrize(("name", "token"), [("juki", "juki"), ("phone", "phone"), ("other", "none")])
def test_what_is_no_my_number_card_is_told_by_kind(pki: TestPki, name: str, token: str) -> None:
    with pytest.raises(NotAMyNumberCard) as caught:
        _opened(_reader(pki, name))
    assert caught.value.facts == {"token": token}


def test_signing_without_a_pin_is_refused_by_the_card(pki: TestPki) -> None:
    with pytest.raises(CardProtocolError) as caught:
        _opened(_reader(pki)).sign(b"nonce")
    assert caught.value.facts == {"sw": "6982", "command": "sign"}


def test_selecting_again_ends_the_pin(pki: TestPki) -> None:
    card = _opened(_reader(pki))
    card.verify(Pin(RIGHT))
    card.select()
    with pytest.raises(CardProtocolError):
        card.sign(b"nonce")


class _Faulty:
    """Answers VERIFY with ``sw`` although the card did its work: a lost answer."""

    def __init__(self, inner: CardTransport, sw: int) -> None:
        self._inner = inner
        self._sw = sw

    def transmit(self, apdu: bytes) -> Response:
        response = self._inner.transmit(apdu)
        return Response(b"", self._sw) if apdu[1] == 0x20 and len(apdu) > 5 else response

    def close(self) -> None:
        self._inner.close()


def test_after_a_lost_answer_the_tries_are_asked_again(pki: TestPki) -> None:
    card = _opened(
        VirtualReader(VirtualCard(load_image(pki.cards / "demo"), TriesInMemory()), lambda t: _Faulty(t, 0x6F00))
    )
    for _ in range(2):
        with pytest.raises(CardProtocolError) as caught:
            card.verify(Pin(WRONG))
        assert caught.value.facts == {"sw": "6F00", "command": "verify"}
    assert card.verify(Pin(WRONG)) == PinStopped(1)


@pytest.mark.parametrize("sw", [0x6983, 0x6984, 0x63C0])
def test_every_way_of_saying_blocked_is_understood(pki: TestPki, sw: int) -> None:
    card = _opened(
        VirtualReader(VirtualCard(load_image(pki.cards / "demo"), TriesInMemory()), lambda t: _Faulty(t, sw))
    )
    assert card.verify(Pin(RIGHT)) == PinStopped(0)


@pytest.mark.parametrize("content", [b"", b"\x30", b"\x30\x82\x06\x00" + b"x" * 40, b"not a certificate at all"])
def test_a_damaged_credential_file_is_a_protocol_error(pki: TestPki, content: bytes) -> None:
    image = load_image(pki.cards / "demo")
    image.applications[JPKI][0x000A] = DataFile(content)
    with pytest.raises(CardProtocolError):
        _opened(VirtualReader(VirtualCard(image, TriesInMemory()))).credential()
