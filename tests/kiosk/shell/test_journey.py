"""The table of screens, built of the shell's rows and every service's: every event from every screen, the ways home."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.services import ROWS, load
from kiosk.services.certificates.journey import CONFIRM, PAID, PAY, PRINTED, PRINTING, TAKE_ITEMS, TAKEN
from kiosk.shell.journey import (
    ALARMED,
    BACK,
    CARD_LEFT,
    CLOSED,
    HARDWARE,
    HOME,
    LEAVE,
    OPENING,
    QUIET,
    RECOVERED,
    SERVICES,
    SHELL_SCREENS,
    STARTED,
    STAY,
    STILL_THERE,
    TROUBLE,
    TROUBLED,
    Card,
    Event,
    IllegalJourney,
    Journey,
    Moves,
    Screen,
    ServiceJourney,
    Step,
    Then,
)
from kiosk.sign_in.journey import ENTER_PIN

JOURNEY = Journey({service.name: service.journey for service in load(ROWS)})
PERSON_OR_CLOCK = (LEAVE, QUIET, TAKEN, RECOVERED, OPENING)
"""Events that need no luck with hardware."""
GO = Event("go")


def reachable(journey: Journey) -> set[Step]:
    """Every step that some row of events leads to."""
    seen, waiting = {Step()}, deque([Step()])
    while waiting:
        step = waiting.popleft()
        for following in {journey.after(step, event) for event in journey.events()} - seen:
            seen.add(following)
            waiting.append(following)
    return seen


STEPS = sorted(reachable(JOURNEY), key=lambda step: (step.service, step.screen.name, str(step.beneath)))


def leads_home(step: Step, events: tuple[Event, ...]) -> bool:
    """Whether some row of ``events`` leads to the first screen."""
    seen, waiting = {step}, deque([step])
    while waiting:
        now = waiting.popleft()
        if now.screen is HOME:
            return True
        for following in {JOURNEY.after(now, event) for event in events} - seen:
            seen.add(following)
            waiting.append(following)
    return False


def title(step: Step) -> str:
    return f"{step.service}-{step.screen.name}-{step.beneath.name if step.beneath else ''}"


def test_every_screen_of_every_service_can_be_reached() -> None:
    services = {(name, screen) for name, journey in JOURNEY.services.items() for screen in journey.screens}
    assert {(step.owner, step.screen) for step in STEPS} == services | {("", screen) for screen in SHELL_SCREENS}


@pytest.mark.parametrize("step", [step for step in STEPS if step.screen is not PRINTING], ids=title)
def test_from_every_screen_a_person_or_the_clock_leads_home(step: Step) -> None:
    assert leads_home(step, PERSON_OR_CLOCK)


def test_printing_ends_by_paper_or_by_trouble_and_both_lead_home() -> None:
    for end in (PRINTED, TROUBLED):
        assert leads_home(JOURNEY.after(Step(PRINTING, "certificates"), end), PERSON_OR_CLOCK)


def test_nobody_walks_out_of_printing() -> None:
    here = Step(PRINTING, "certificates")
    assert [JOURNEY.after(here, event) for event in (*PERSON_OR_CLOCK, CARD_LEFT, BACK, ALARMED)] == [here] * 8


@pytest.mark.parametrize("step", STEPS, ids=title)
def test_each_word_of_the_hardware_is_answered_on_each_screen_as_its_row_says(step: Step) -> None:
    row = step.beneath or step.screen
    told = {CARD_LEFT: row.card is Card.NEEDED, TROUBLED: row.fails, ALARMED: row.alarms}
    ends = {CARD_LEFT: TROUBLE, TROUBLED: TROUBLE, ALARMED: CLOSED}
    for event in HARDWARE:
        assert JOURNEY.after(step, event) == (Step(ends[event]) if told[event] else step)


@given(st.lists(st.sampled_from(JOURNEY.events())))
def test_whatever_happens_the_question_lies_over_a_screen_and_only_there(events: list[Event]) -> None:
    step = Step()
    for event in events:
        step = JOURNEY.after(step, event)
        assert (step.beneath is not None) == (step.screen is STILL_THERE)
        assert bool(step.service) == ((step.beneath or step.screen) not in SHELL_SCREENS)


@given(st.lists(st.sampled_from(JOURNEY.events())))
def test_paper_is_reached_only_over_confirm_and_pay(events: list[Event]) -> None:
    step, passed = Step(), set[Screen]()
    for event in events:
        step = JOURNEY.after(step, event)
        passed = set() if step.screen is HOME else passed | {step.beneath or step.screen}
        if step.screen in (PRINTING, TAKE_ITEMS):
            assert {ENTER_PIN, CONFIRM, PAY} <= passed


@pytest.mark.parametrize("screen", [PAY, PRINTING, TAKE_ITEMS], ids=lambda screen: screen.name)
def test_from_the_fee_on_the_card_may_be_taken(screen: Screen) -> None:
    assert JOURNEY.after(Step(screen, "certificates"), CARD_LEFT) == Step(screen, "certificates")


@pytest.mark.parametrize(
    "step", [step for step in STEPS if step.screen.quiet and step.screen.quiet.then is Then.ASK], ids=title
)
def test_a_quiet_visitor_is_asked_and_may_stay(step: Step) -> None:
    asked = JOURNEY.after(step, QUIET)
    assert asked == Step(STILL_THERE, step.service, beneath=step.screen)
    assert JOURNEY.after(asked, STAY) == step
    assert JOURNEY.after(asked, QUIET) == Step(HOME)


def test_a_fee_that_comes_while_the_question_stands_is_heard() -> None:
    asked = Step(STILL_THERE, "certificates", PAY)
    assert JOURNEY.after(asked, PAID) == Step(PRINTING, "certificates")


def test_an_event_that_has_no_meaning_leaves_the_screen_as_it_is() -> None:
    assert JOURNEY.after(Step(CONFIRM, "certificates"), STARTED) == Step(CONFIRM, "certificates")


def test_going_back_to_the_menu_leaves_the_service() -> None:
    entered = JOURNEY.after(Step(SERVICES), JOURNEY.entrances["plaza"])
    assert entered.service == "plaza"
    assert JOURNEY.after(entered, BACK) == Step(SERVICES)


ONE, OTHER = Screen("one"), Screen("other")
BAD: Mapping[str, Moves] = {
    "a move from a screen of the shell": {(HOME, GO): ONE},
    "an event that the row decides": {(ONE, LEAVE): OTHER},
    "the hardware's word": {(ONE, CARD_LEFT): OTHER},
    "a way into the shell's trouble": {(ONE, GO): TROUBLE},
    "a screen with a name of the shell's": {(ONE, GO): Screen("home")},
    "two screens of one name": {(ONE, GO): Screen("one")},
}


@pytest.mark.parametrize("moves", BAD.values(), ids=BAD.keys())
def test_a_service_that_reaches_beyond_its_own_screens_is_refused(moves: Moves) -> None:
    with pytest.raises(IllegalJourney):
        Journey({"bad": ServiceJourney(ONE, moves)})


def test_two_services_with_a_screen_of_one_name_are_refused() -> None:
    with pytest.raises(IllegalJourney):
        Journey({"a": ServiceJourney(ONE, {}), "b": ServiceJourney(Screen("one"), {})})


def test_two_services_may_share_a_screen_and_lead_on_from_it_each_its_own_way() -> None:
    last = Screen("last")
    journey = Journey({"a": ServiceJourney(ONE, {(ONE, GO): OTHER}), "b": ServiceJourney(ONE, {(ONE, GO): last})})
    assert journey.after(Step(ONE, "a"), GO) == Step(OTHER, "a")
    assert journey.after(Step(ONE, "b"), GO) == Step(last, "b")


@pytest.mark.parametrize("name", ["home", "staff", "shell", "", "two words"])
def test_a_service_cannot_take_a_name_that_means_something_else(name: str) -> None:
    with pytest.raises(IllegalJourney):
        Journey({name: ServiceJourney(ONE, {})})
