"""The table of a request's life."""

from __future__ import annotations

import pytest

from kiosk.services.certificates.issuance.states import MOVES, Event, IllegalMove, State, after


def _ways(start: State) -> set[State]:
    """Every state that can be reached from ``start``."""
    reached, todo = {start}, [start]
    while todo:
        here = todo.pop()
        for (state, _event), there in MOVES.items():
            if state is here and there not in reached:
                reached.add(there)
                todo.append(there)
    return reached


def test_every_state_can_be_reached_and_comes_to_rest() -> None:
    assert _ways(State.ASKED) == set(State)
    assert all(any(end.final for end in _ways(state)) for state in State)


def test_printing_begins_only_after_payment() -> None:
    into_printing = {state for (state, _), there in MOVES.items() if there is State.PRINTING}
    into_paid = {state for (state, _), there in MOVES.items() if there is State.PAID}
    assert into_printing == {State.PAID}
    assert into_paid == {State.PREPARED, State.PRINTING}


@pytest.mark.parametrize("end", [State.UNKNOWN, State.VOIDED, State.REFUSED, State.DELIVERED, State.PRINTED])
def test_nothing_leads_back_to_the_printer(end: State) -> None:
    assert State.PRINTING not in _ways(end)


def test_what_was_sent_is_never_simply_voided() -> None:
    assert (State.PRINTING, Event.VOID) not in MOVES
    assert (State.PRINTED, Event.VOID) not in MOVES


def test_an_event_that_does_not_fit_raises_with_both_names() -> None:
    with pytest.raises(IllegalMove) as caught:
        after(State.ASKED, Event.PRINT)
    assert caught.value.facts == {"state": "asked", "event": "print"}
