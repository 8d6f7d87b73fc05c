"""A payment terminal that a person operates by two buttons: for demo, training and tests."""

from __future__ import annotations

from kiosk.services.certificates.payment.fee_terminal import FeeTerminal
from kiosk.services.certificates.payment.terminal import TerminalState


class VirtualTerminal(FeeTerminal):
    """Takes no money; says that it did when told to."""

    def __init__(self) -> None:
        super().__init__("virtual")

    def confirm(self) -> TerminalState:
        """The person pays the fee that is waiting; otherwise nothing changes. The state it led to."""
        return self._settle()

    def decline(self) -> TerminalState:
        """The person does not pay. The state it led to."""
        return self.cancel()
