"""The payment terminal as the kiosk sees it: a fee is asked for, then the terminal says what became of it.

One fee at a time. A terminal never takes a fee after ``cancel`` returned Cancelled.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Idle:
    """No fee has been asked for yet."""


@dataclass(frozen=True)
class Waiting:
    """The person is about to pay."""

    request: str
    yen: int


@dataclass(frozen=True)
class Paid:
    """The fee was taken. reference: the terminal's own number of this payment, random, never a card number."""

    request: str
    method: str
    yen: int
    reference: str


@dataclass(frozen=True)
class Cancelled:
    """The fee was not taken and will not be."""

    request: str


TerminalState = Idle | Waiting | Paid | Cancelled


class PaymentTerminal(Protocol):
    """Safe across threads."""

    method: str
    """"counter" or "virtual": stands in the journal and on the receipt."""

    def begin(self, request: str, yen: int) -> None:
        """Ask for a fee. Told again for the request that is waiting or paid: nothing changes. Raises TerminalBusy while
        another request's fee is waiting.
        """
        ...

    def state(self) -> TerminalState:
        """What became of the fee last asked for."""
        ...

    def cancel(self) -> TerminalState:
        """Stop asking; the state it led to. Paid when the person was quicker: the fee is taken and must be recorded."""
        ...
