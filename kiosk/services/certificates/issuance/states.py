"""The life of one request as a table: (state, event) -> state.

Rules the table holds:
- Paper can only be asked for after payment: the one way into ``printing`` leads from ``paid``.
- ``printing`` goes back to ``paid`` only when the printer holds no document of ours (FAIL); everything less certain
  is ``unknown``, and nothing leads from there to the printer again.
- After payment there is no ending without a record: delivered, unknown (staff look at the paper), or voided with the
  payment standing in the row, which is what puts it on the refund list.
- A box restored from a back-up knows nothing of what became of an unfinished request afterwards (RESTORE): it may have
  been paid, printed and taken. So it is ``unknown``, whatever it was.
- A payment that arrives after voiding (the terminal was a moment too late) is recorded, never dropped.
"""

from __future__ import annotations

from enum import Enum

from device.errors import HirobaError


class State(Enum):
    """Where a request stands. A state is written before the act it announces."""

    ASKED = "asked"
    AUTHORISED = "authorised"
    QUOTED = "quoted"
    PREPARED = "prepared"
    PAID = "paid"
    PRINTING = "printing"
    PRINTED = "printed"
    DELIVERED = "delivered"
    REFUSED = "refused"
    VOIDED = "voided"
    UNKNOWN = "unknown"

    @property
    def final(self) -> bool:
        """Whether the visit has nothing more to do with it; ``unknown`` still waits for staff."""
        return self in (State.DELIVERED, State.REFUSED, State.VOIDED, State.UNKNOWN)


class Event(Enum):
    """What happens to a request."""

    AUTHORISE = "authorise"
    QUOTE = "quote"
    REFUSE = "refuse"
    PREPARE = "prepare"
    PAY = "pay"
    PRINT = "print"
    FAIL = "fail"
    COMPLETE = "complete"
    DELIVER = "deliver"
    VOID = "void"
    LOSE = "lose"
    RESTORE = "restore"


class IllegalMove(HirobaError):
    """An event that the state does not know. facts: state, event."""

    code = "request.illegal_move"


S, E = State, Event
MOVES: dict[tuple[State, Event], State] = {
    (S.ASKED, E.AUTHORISE): S.AUTHORISED,
    (S.ASKED, E.VOID): S.VOIDED,
    (S.AUTHORISED, E.QUOTE): S.QUOTED,
    (S.AUTHORISED, E.REFUSE): S.REFUSED,
    (S.AUTHORISED, E.VOID): S.VOIDED,
    (S.QUOTED, E.PREPARE): S.PREPARED,
    (S.QUOTED, E.REFUSE): S.REFUSED,
    (S.QUOTED, E.VOID): S.VOIDED,
    (S.PREPARED, E.PAY): S.PAID,
    (S.PREPARED, E.VOID): S.VOIDED,
    (S.PAID, E.PRINT): S.PRINTING,
    (S.PAID, E.VOID): S.VOIDED,
    (S.PRINTING, E.FAIL): S.PAID,
    (S.PRINTING, E.COMPLETE): S.PRINTED,
    (S.PRINTING, E.LOSE): S.UNKNOWN,
    (S.PRINTED, E.DELIVER): S.DELIVERED,
    (S.PRINTED, E.LOSE): S.UNKNOWN,
    (S.UNKNOWN, E.DELIVER): S.DELIVERED,
    (S.UNKNOWN, E.VOID): S.VOIDED,
    (S.VOIDED, E.PAY): S.VOIDED,
    **{(state, E.RESTORE): S.UNKNOWN for state in State if not state.final},
}


def after(state: State, event: Event) -> State:
    """The state after ``event``. Raises IllegalMove."""
    if (state, event) not in MOVES:
        raise IllegalMove(state=state.value, event=event.value)
    return MOVES[state, event]
