"""A card that means ill (docs/threat_model.md, "The card"): within the standard, and so as to take for ever."""

from __future__ import annotations

import pytest

from device.card.bounded import MAX_COMMANDS, BoundedTransport, CardTooSlow
from device.card.my_number_card import MyNumberCard
from device.card.transport import CardTransport
from device.card.virtual.card import VirtualCard
from device.card.virtual.pki import TestPki
from device.card.virtual.reader import VirtualReader
from device.card.virtual.unkind import UnkindCard, Unkindness
from device.errors import CardError, CardProtocolError


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> TestPki:
    made = TestPki(tmp_path_factory.mktemp("pki"))
    made.ensure(["demo"])
    return made


class Desk:
    """A card of that unkindness at a reader; its clock moves by ``seconds`` with each command when it is SLOW."""

    def __init__(self, pki: TestPki, how: Unkindness, seconds: float = 0.0) -> None:
        self.now = 0.0
        self.cards: list[UnkindCard] = []

        def pause() -> None:
            self.now += seconds

        def wrap(inner: CardTransport) -> CardTransport:
            self.cards.append(UnkindCard(inner, how, pause))
            return self.cards[-1]

        transport = VirtualReader(VirtualCard.load(pki.cards / "demo"), wrap).connect()
        self.card = MyNumberCard(transport, bounds=lambda inner: BoundedTransport(inner, monotonic=lambda: self.now))

    def read(self) -> None:
        self.card.select()
        self.card.credential()

    @property
    def asked(self) -> int:
        return self.cards[-1].asked


@pytest.mark.parametrize(
    "how", [Unkindness.ONE_BYTE, Unkindness.EMPTY_CONTINUED, Unkindness.ENDLESS_CONTINUED, Unkindness.HUGE]
)
def test_a_card_that_gets_nowhere_is_left_after_few_commands(pki: TestPki, how: Unkindness) -> None:
    # One byte a READ: 1,700 commands and eleven minutes before.
    desk = Desk(pki, how)
    with pytest.raises(CardError):
        desk.read()
    assert desk.asked <= MAX_COMMANDS


def test_a_slow_card_is_left_at_the_end_of_its_time(pki: TestPki) -> None:
    desk = Desk(pki, Unkindness.SLOW, seconds=9.0)
    with pytest.raises(CardTooSlow):
        desk.read()
    assert desk.now <= 2 * 9.0


def test_a_slow_card_within_its_time_is_read(pki: TestPki) -> None:
    desk = Desk(pki, Unkindness.SLOW, seconds=0.5)
    desk.card.select()
    assert desk.card.tries_left() == 3
    assert desk.card.credential()[:2] == b"\x30\x82"


def test_what_came_too_late_is_not_heard_and_nothing_more_is_asked(pki: TestPki) -> None:
    desk = Desk(pki, Unkindness.SLOW, seconds=20.0)
    with pytest.raises(CardTooSlow):
        desk.card.select()
    assert desk.asked == 1
    with pytest.raises(CardTooSlow):
        desk.card._bounds.transmit(b"\x00\xa4\x04\x0c\x00")
    assert desk.asked == 1


def test_too_slow_is_told_like_any_card_that_breaks_its_protocol() -> None:
    assert issubclass(CardTooSlow, CardProtocolError)
    assert CardTooSlow.code == CardProtocolError.code
