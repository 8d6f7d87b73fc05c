"""The virtual reader and a real PC/SC reader (pyscard, pcscd, vpcd) keep the same promises."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import pytest

from device.card import apdu
from device.card.credential import TrustStore, check_credential
from device.card.my_number_card import MyNumberCard, PinAccepted, PinStopped, PinWrong
from device.card.pcscd import PcscService
from device.card.presence import CardReader, Presence
from device.card.profile import PRESENT_CARD
from device.card.settings import CardSettings
from device.card.virtual import process
from device.card.virtual.card import VirtualCard
from device.card.virtual.pki import TestPki
from device.card.virtual.reader import VirtualReader
from device.errors import ApduForbidden, CardError, CardGone, CardProtocolError, CardServiceDown, ReaderBusy
from device.secrets import Pin

RIGHT, WRONG = b"1234", b"9999"
NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
REAL = pytest.param("pcsc", marks=pytest.mark.needs("root", "pcscd", "vpcd"))


class Desk(Protocol):
    """A reader on a desk, and the hand that puts cards on it."""

    @property
    def reader(self) -> CardReader: ...

    def insert(self, name: str) -> None: ...

    def remove(self) -> None: ...

    def break_service(self) -> None: ...

    def mend_service(self) -> None: ...


class VirtualDesk:
    def __init__(self, cards: Path) -> None:
        self.reader = VirtualReader()
        self._cards = cards

    def insert(self, name: str) -> None:
        self.reader.insert(VirtualCard.load(self._cards / name))

    def remove(self) -> None:
        self.reader.remove()

    def break_service(self) -> None:
        self.reader.service(Presence.NO_SERVICE)

    def mend_service(self) -> None:
        self.reader.service(Presence.EMPTY)


class PcscDesk:
    """The virtual card's own process loop, worked by its state file as a person would."""

    def __init__(self, cards: Path, state: Path, service: PcscService) -> None:
        from device.card.pcsc import PcscReader

        self.reader = PcscReader(CardSettings())
        self._service = service
        self._state = state
        self._stop = threading.Event()
        self._thread = threading.Thread(target=process.run, args=(state, cards, service.port, self._stop))
        self._thread.start()

    def insert(self, name: str) -> None:
        process.insert(self._state, name)

    def remove(self) -> None:
        process.remove(self._state)

    def break_service(self) -> None:
        self._service.stop()

    def mend_service(self) -> None:
        self._service.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join()
        self.reader.close()


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> TestPki:
    made = TestPki(tmp_path_factory.mktemp("pki"))
    made.ensure(["demo", "older", "juki"])
    return made


@pytest.fixture(params=["virtual", REAL])
def desk(request: pytest.FixtureRequest, pki: TestPki, tmp_path: Path) -> Iterator[Desk]:
    for spent in pki.cards.glob("*/tries.json"):
        spent.unlink()
    if request.param == "virtual":
        yield VirtualDesk(pki.cards)
        return
    real = PcscDesk(pki.cards, tmp_path / "card.json", request.getfixturevalue("pcsc_service"))
    _await(real.reader, Presence.EMPTY)
    yield real
    real.close()
    _await(real.reader, Presence.EMPTY)


def _await(reader: CardReader, wanted: Presence) -> None:
    """pcscd looks at a serial reader every 400 ms (docs/sources.md#pcsc-service)."""
    until = time.monotonic() + 20
    while reader.presence() is not wanted:
        assert time.monotonic() < until, f"still {reader.presence()}"
        time.sleep(0.02)


def _opened(desk: Desk, name: str = "demo") -> MyNumberCard:
    if desk.reader.presence() is not Presence.PRESENT:
        desk.insert(name)
        _await(desk.reader, Presence.PRESENT)
    card = MyNumberCard(desk.reader.connect())
    card.select()
    return card


def _ask_for_seconds(card: MyNumberCard, seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        card.tries_left()


@pytest.mark.parametrize("name", ["demo", "older"])
def test_the_signature_is_that_of_the_credential_on_the_card(desk: Desk, pki: TestPki, name: str) -> None:
    card = _opened(desk, name)
    assert card.verify(Pin(RIGHT)) == PinAccepted()
    credential = check_credential(card.credential(), TrustStore.load(pki.trust), NOW)
    assert credential.verify(b"nonce", card.sign(b"nonce"))
    card.close()


def test_wrong_pins_count_down_on_the_card_itself(desk: Desk) -> None:
    card = _opened(desk)
    assert card.tries_left() == 3
    assert card.verify(Pin(WRONG)) == PinWrong(2)
    card.close()
    again = _opened(desk)
    assert again.tries_left() == 2
    assert again.verify(Pin(WRONG)) == PinWrong(1)
    assert again.verify(Pin(RIGHT)) == PinStopped(1)
    again.close()


def test_the_third_wrong_pin_blocks_the_card(desk: Desk) -> None:
    card = _opened(desk)
    card.close()
    bare = desk.reader.connect()
    bare.transmit(apdu.select_application(PRESENT_CARD.application).encode())
    answers = [bare.transmit(apdu.verify(0x98, pin).encode()).sw for pin in (WRONG, WRONG, WRONG, RIGHT)]
    assert answers == [0x63C2, 0x63C1, 0x63C0, 0x6983]
    bare.close()
    blocked = _opened(desk)
    assert blocked.verify(Pin(RIGHT)) == PinStopped(0)
    blocked.close()


def test_after_close_the_next_connection_can_not_sign_without_a_pin(desk: Desk) -> None:
    card = _opened(desk)
    card.verify(Pin(RIGHT))
    card.sign(b"nonce")
    card.close()
    card.close()
    with pytest.raises(CardGone):
        card.tries_left()
    following = _opened(desk)
    with pytest.raises(CardProtocolError) as caught:
        following.sign(b"nonce")
    assert caught.value.facts == {"sw": "6982", "command": "sign"}
    following.close()


def test_a_second_connection_is_refused_while_the_first_is_open(desk: Desk) -> None:
    card = _opened(desk)
    with pytest.raises(ReaderBusy):
        desk.reader.connect()
    assert card.tries_left() == 3
    card.close()
    _opened(desk).close()


def test_a_card_taken_in_the_middle_is_gone_and_stays_gone(desk: Desk) -> None:
    card = _opened(desk)
    desk.remove()
    with pytest.raises(CardGone):
        _ask_for_seconds(card, 20)
    _await(desk.reader, Presence.EMPTY)
    desk.insert("demo")
    _await(desk.reader, Presence.PRESENT)
    with pytest.raises(CardGone):
        card.tries_left()
    card.close()
    _opened(desk).close()


def test_a_card_put_back_after_a_broken_exchange_is_seen_again(desk: Desk) -> None:
    for _ in range(2):
        card = _opened(desk)
        desk.remove()
        with pytest.raises(CardGone):
            _ask_for_seconds(card, 20)
        card.close()
        _await(desk.reader, Presence.EMPTY)
    _opened(desk).close()


def test_an_empty_reader_has_no_card_to_open(desk: Desk) -> None:
    with pytest.raises(CardGone):
        desk.reader.connect()


def test_the_reader_itself_hands_out_only_guarded_connections(desk: Desk) -> None:
    _opened(desk).close()
    bare = desk.reader.connect()
    with pytest.raises(ApduForbidden):
        bare.transmit(bytes.fromhex("00a4040c0ad3921000310001010408"))
    bare.close()


def test_a_service_that_dies_is_told_and_found_again(desk: Desk) -> None:
    card = _opened(desk)
    desk.break_service()
    try:
        _await(desk.reader, Presence.NO_SERVICE)
        with pytest.raises(CardServiceDown):
            card.tries_left()
        with suppress(CardError):
            card.close()
        with pytest.raises(CardServiceDown):
            desk.reader.connect()
    finally:
        desk.mend_service()
    _await(desk.reader, Presence.PRESENT)
    _opened(desk).close()
