"""What goes wrong is said in the visitor's language, ends the visit cleanly and heals by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from device.card.presence import Presence
from device.printer.status import Condition
from kiosk.services.certificates.state import CertificatesVisit

if TYPE_CHECKING:
    from tests.kiosk.conftest import Stage, Visitor


def test_a_wrong_pin_tells_the_tries_left(visitor: Visitor) -> None:
    assert visitor.to_card().facts["data-tries"] == "3"
    page = visitor.touch("enter", pin="9999")
    assert page.screen == "enter_pin"
    assert page.facts["data-notice"] == "pin_wrong"
    assert page.facts["data-tries"] == "2"
    assert "あと2回" in page.text


def test_the_last_try_is_never_spent(visitor: Visitor) -> None:
    visitor.to_card()
    visitor.touch("enter", pin="9999")
    assert visitor.touch("enter", pin="9998").facts["data-trouble"] == "card.pin_blocked"
    visitor.touch("home")
    visitor.simulator.remove()
    assert visitor.to_card(tries=1).facts["data-trouble"] == "card.pin_blocked"


@pytest.mark.parametrize("typed", ["", "123", "12345", "12a4", "１２３"])
def test_what_is_no_pin_never_reaches_the_card(visitor: Visitor, typed: str) -> None:
    visitor.to_card()
    page = visitor.touch("enter", pin=typed)
    assert page.facts["data-notice"] == "pin_malformed"
    assert page.facts["data-tries"] == "3"


@pytest.mark.parametrize("stop", ["enter_pin", "choose_certificate", "confirm"])
def test_a_card_that_is_taken_ends_the_visit(visitor: Visitor, stop: str) -> None:
    {"enter_pin": visitor.to_card, "choose_certificate": visitor.to_choice, "confirm": visitor.to_confirm}[stop]()
    assert visitor.screen == stop
    visitor.simulator.remove()
    page = visitor.look()
    assert page.facts["data-trouble"] == "card.gone"
    assert "試験 一郎" not in page.text
    visitor.simulator.settle(60)
    assert visitor.screen == "home"


def test_a_card_lifted_while_it_is_read_may_just_be_put_back(visitor: Visitor) -> None:
    visitor.touch("start")
    visitor.touch("certificates")
    visitor.certificates.card_arrived()
    assert visitor.look().facts["data-notice"] == "card_moved"
    visitor.simulator.insert()
    assert visitor.screen == "enter_pin"


@pytest.mark.parametrize("card", ["juki", "other"])
def test_a_card_that_is_no_my_number_card_is_told_so(visitor: Visitor, card: str) -> None:
    visitor.touch("language-en")
    page = visitor.to_card(card)
    assert page.facts["data-trouble"] == "card.not_my_number"
    assert "My Number card" in page.text


@pytest.mark.parametrize(
    ("condition", "code"), [(Condition.PAPER_OUT, "printer.paper_out"), (Condition.SILENT, "printer.unreachable")]
)
def test_a_printer_that_can_not_print_is_found_before_the_pin(
    visitor: Visitor, condition: Condition, code: str
) -> None:
    visitor.touch("start")
    visitor.simulator.pages.set(condition)
    visitor.touch("certificates")
    visitor.simulator.insert()
    assert visitor.look().facts["data-trouble"] == code
    assert "enter_pin" not in [page.screen for page in visitor.pages]


def test_a_kiosk_that_can_not_serve_says_so_on_its_first_screen_and_heals(visitor: Visitor) -> None:
    visitor.simulator.issuer.reachable = False
    visitor.simulator.settle()
    assert visitor.look().facts["data-notice"] == "issuer.unreachable"
    assert visitor.touch("start").facts["data-unavailable"] == "issuer.unreachable"
    assert visitor.touch("certificates").facts["data-trouble"] == "issuer.unreachable"
    visitor.simulator.issuer.reachable = True
    visitor.simulator.settle()
    visitor.simulator.settle(6)
    page = visitor.look()
    assert page.screen == "home"
    assert "data-notice" not in page.facts


@pytest.mark.parametrize(
    ("presence", "code"), [(Presence.NO_SERVICE, "reader.service_down"), (Presence.NO_READER, "reader.missing")]
)
def test_a_missing_reader_is_told_and_heals(visitor: Visitor, presence: Presence, code: str) -> None:
    visitor.simulator.reader.service(presence)
    visitor.simulator.settle()
    assert visitor.look().facts["data-notice"] == code
    visitor.simulator.reader.service(Presence.EMPTY)
    visitor.simulator.settle()
    assert visitor.to_card().screen == "enter_pin"


def test_a_reader_that_is_unplugged_while_the_card_is_awaited_is_told_and_heals(visitor: Visitor) -> None:
    visitor.touch("start")
    visitor.touch("certificates")
    visitor.simulator.reader.service(Presence.NO_READER)
    visitor.simulator.settle()
    assert visitor.look().facts["data-trouble"] == "reader.missing"
    visitor.simulator.reader.service(Presence.EMPTY)
    visitor.simulator.settle()
    visitor.simulator.settle(6)
    assert visitor.screen == "home"


def test_an_issuer_that_goes_away_at_the_pin_is_told(visitor: Visitor) -> None:
    visitor.to_card()
    visitor.simulator.issuer.reachable = False
    assert visitor.touch("enter", pin="1234").facts["data-trouble"] == "issuer.unreachable"


def test_a_card_taken_while_staff_type_their_code_redraws_nothing(visitor: Visitor) -> None:
    visitor.to_confirm()
    visitor.touch("confirm")
    before = visitor.client.get("/state").get_json()
    visitor.simulator.remove()
    assert visitor.client.get("/state").get_json() == before


def test_quiet_asks_and_then_ends_the_visit(visitor: Visitor) -> None:
    visitor.to_choice()
    visitor.simulator.settle(46)
    assert visitor.screen == "still_there"
    assert visitor.touch("stay").screen == "choose_certificate"
    visitor.simulator.settle(46)
    visitor.simulator.settle(31)
    assert visitor.screen == "home"


def test_a_finger_on_the_glass_keeps_the_visit_awake(visitor: Visitor) -> None:
    visitor.to_choice()
    for _ in range(3):
        visitor.simulator.settle(30)
        visitor.client.post("/awake")
    assert visitor.screen == "choose_certificate"


def test_language_and_display_of_a_passer_by_are_forgotten(visitor: Visitor) -> None:
    visitor.touch("language-en")
    visitor.touch("display-contrast")
    visitor.simulator.settle(46)
    page = visitor.look()
    assert page.language == "ja"
    assert 'class=" contrast"' not in page.html


def test_outside_its_hours_the_kiosk_is_closed_and_opens_by_itself(stage: Stage) -> None:
    visitor = stage(opens="10:30", closes="11:00")
    visitor.simulator.settle()
    page = visitor.look()
    assert page.screen == "closed"
    assert "10:30" in page.text
    visitor.simulator.settle(31 * 60)
    assert visitor.screen == "home"
    visitor.simulator.settle(60 * 60)
    assert visitor.screen == "closed"


def test_what_a_passer_by_chose_on_the_closed_screen_is_forgotten_too(stage: Stage) -> None:
    visitor = stage(opens="22:00", closes="23:00")
    visitor.simulator.settle()
    visitor.look()
    assert visitor.touch("language-en").language == "en"
    visitor.simulator.settle(46)
    page = visitor.look()
    assert (page.screen, page.language) == ("closed", "ja")


def test_closing_time_does_not_cut_a_visit_short(stage: Stage) -> None:
    visitor = stage(opens="09:00", closes="10:00:20")
    visitor.to_choice()
    visitor.simulator.settle(30)
    assert visitor.screen == "choose_certificate"


def test_an_error_nobody_thought_of_ends_the_visit_without_a_traceback(visitor: Visitor) -> None:
    visitor.to_choice()
    state = visitor.simulator.kiosk.shell.desk.visit.service
    assert isinstance(state, CertificatesVisit)
    state.resident = None
    visitor.simulator.kiosk.app.config["PROPAGATE_EXCEPTIONS"] = False
    page = visitor.look()
    assert page.facts["data-trouble"] == "general"
