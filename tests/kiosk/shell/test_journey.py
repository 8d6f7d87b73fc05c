"""The table of screens: every event from every screen, and the ways home."""

from __future__ import annotations

from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.shell.journey import NEEDS_CARD, VISITING, Event, Screen, Step, after

PERSON_OR_CLOCK = (Event.LEAVE, Event.QUIET, Event.TAKEN, Event.RECOVERED, Event.OPENING)
"""Events that need no luck with hardware."""


def reachable() -> set[Step]:
    """Every step that some row of events leads to."""
    seen, waiting = {Step()}, deque([Step()])
    while waiting:
        step = waiting.popleft()
        for following in {after(step, event) for event in Event} - seen:
            seen.add(following)
            waiting.append(following)
    return seen


def leads_home(step: Step, events: tuple[Event, ...]) -> bool:
    """Whether some row of ``events`` leads to the first screen."""
    seen, waiting = {step}, deque([step])
    while waiting:
        now = waiting.popleft()
        if now.screen is Screen.HOME:
            return True
        for following in {after(now, event) for event in events} - seen:
            seen.add(following)
            waiting.append(following)
    return False


def test_every_screen_can_be_reached() -> None:
    assert {step.screen for step in reachable()} == set(Screen)


def test_from_every_screen_a_person_or_the_clock_leads_home() -> None:
    stuck = [s for s in reachable() if s.screen is not Screen.PRINTING and not leads_home(s, PERSON_OR_CLOCK)]
    assert stuck == []


def test_printing_ends_by_paper_or_by_trouble_and_both_lead_home() -> None:
    for end in (Event.PRINTED, Event.TROUBLED):
        assert leads_home(after(Step(Screen.PRINTING), end), PERSON_OR_CLOCK)


def test_nobody_walks_out_of_printing() -> None:
    for event in (*PERSON_OR_CLOCK, Event.CARD_LEFT, Event.BACK, Event.ALARMED):
        assert after(Step(Screen.PRINTING), event) == Step(Screen.PRINTING)


@given(st.lists(st.sampled_from(Event)))
def test_whatever_happens_the_question_lies_over_a_screen_and_only_there(events: list[Event]) -> None:
    step = Step()
    for event in events:
        step = after(step, event)
        assert (step.beneath is not None) == (step.screen is Screen.STILL_THERE)


@given(st.lists(st.sampled_from(Event)))
def test_paper_is_reached_only_over_confirm_and_pay(events: list[Event]) -> None:
    step, passed = Step(), set[Screen]()
    for event in events:
        step = after(step, event)
        passed = set() if step.screen is Screen.HOME else passed | {step.beneath or step.screen}
        if step.screen in (Screen.PRINTING, Screen.TAKE_ITEMS):
            assert {Screen.ENTER_PIN, Screen.CONFIRM, Screen.PAY} <= passed


@pytest.mark.parametrize("screen", NEEDS_CARD)
def test_a_card_that_leaves_before_the_order_is_signed_ends_the_visit(screen: Screen) -> None:
    assert after(Step(screen), Event.CARD_LEFT) == Step(Screen.TROUBLE)


@pytest.mark.parametrize("screen", [Screen.PAY, Screen.PRINTING, Screen.TAKE_ITEMS])
def test_from_the_fee_on_the_card_may_be_taken(screen: Screen) -> None:
    assert after(Step(screen), Event.CARD_LEFT) == Step(screen)


@pytest.mark.parametrize("screen", VISITING)
def test_a_quiet_visitor_is_asked_and_may_stay(screen: Screen) -> None:
    asked = after(Step(screen), Event.QUIET)
    assert asked == Step(Screen.STILL_THERE, beneath=screen)
    assert after(asked, Event.STAY) == Step(screen)
    assert after(asked, Event.QUIET) == Step(Screen.HOME)


def test_a_fee_that_comes_while_the_question_stands_is_heard() -> None:
    assert after(Step(Screen.STILL_THERE, Screen.PAY), Event.PAID) == Step(Screen.PRINTING)


def test_an_event_that_has_no_meaning_leaves_the_screen_as_it_is() -> None:
    assert after(Step(Screen.CONFIRM), Event.STARTED) == Step(Screen.CONFIRM)
