"""Two things at once: late answers reach nobody else, and the fee of the last moment is not lost."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from kiosk.issuer.protocol import Authenticate, Order, Quote, Refusal, Resident
from kiosk.services.certificates.issuance.states import State
from kiosk.services.certificates.payment.virtual import VirtualTerminal

if TYPE_CHECKING:
    from tests.kiosk.conftest import Visitor


def test_an_answer_for_a_visitor_who_left_reaches_nobody(visitor: Visitor) -> None:
    issuer, desk = visitor.simulator.issuer, visitor.simulator.kiosk.shell.desk
    answer = issuer.authenticate

    def slow(message: Authenticate) -> Resident | Refusal:
        desk.reset()
        return answer(message)

    visitor.to_card()
    issuer.authenticate = slow  # type: ignore[method-assign]  # the visitor leaves while the issuer thinks
    assert visitor.touch("enter", pin="1234").screen == "home"
    assert desk.visit.service is None


def test_an_order_whose_visitor_left_is_voided(visitor: Visitor) -> None:
    issuer, desk = visitor.simulator.issuer, visitor.simulator.kiosk.shell.desk
    accept = issuer.order

    def slow(order: Order) -> Quote | Refusal:
        desk.reset()
        return accept(order)

    visitor.to_confirm()
    issuer.order = slow  # type: ignore[method-assign]  # the visitor leaves while the issuer thinks
    assert visitor.touch("confirm").screen == "home"
    (row,) = visitor.journal.all_rows()
    assert row.state is State.VOIDED
    assert visitor.simulator.pages.pages == 0


def test_a_fee_paid_in_the_moment_of_leaving_is_printed_for(visitor: Visitor) -> None:
    visitor.to_confirm()
    visitor.touch("confirm")
    terminal = visitor.certificates.terminal
    assert isinstance(terminal, VirtualTerminal)
    terminal.confirm()
    assert visitor.touch("home").screen == "take_items"


def test_ten_fingers_on_confirm_make_one_request(visitor: Visitor) -> None:
    visitor.to_confirm()
    form = next(form for form in visitor.page.forms if "confirm" in form.actions)
    app = visitor.simulator.kiosk.app
    fingers = [threading.Thread(target=lambda: app.test_client().post(form.path, data=form.fields)) for _ in range(10)]
    for finger in fingers:
        finger.start()
    for finger in fingers:
        finger.join()
    assert visitor.screen == "pay"
    assert len(visitor.journal.all_rows()) == 1
