"""The one fee that is being asked for, shared by the terminals of this folder."""

from __future__ import annotations

import secrets
import threading

from device.errors import HirobaError
from kiosk.services.certificates.payment.terminal import Cancelled, Idle, Paid, TerminalState, Waiting


class TerminalBusy(HirobaError):
    """Another request's fee is waiting. facts: none."""

    code = "payment.busy"


class FeeTerminal:
    """A PaymentTerminal without a way to pay; who inherits adds one and calls ``_settle``."""

    def __init__(self, method: str) -> None:
        self.method = method
        self._state: TerminalState = Idle()
        self._lock = threading.RLock()

    def begin(self, request: str, yen: int) -> None:
        """See PaymentTerminal."""
        with self._lock:
            now = self._state
            if isinstance(now, (Waiting, Paid)) and now.request == request:
                return
            if isinstance(now, Waiting):
                raise TerminalBusy()
            self._state = Waiting(request, yen)

    def state(self) -> TerminalState:
        """See PaymentTerminal."""
        with self._lock:
            return self._state

    def cancel(self) -> TerminalState:
        """See PaymentTerminal."""
        with self._lock:
            if isinstance(self._state, Waiting):
                self._state = Cancelled(self._state.request)
            return self._state

    def _settle(self) -> TerminalState:
        """Take the fee that is waiting, if one is."""
        with self._lock:
            now = self._state
            if isinstance(now, Waiting):
                self._state = Paid(now.request, self.method, now.yen, secrets.token_hex(8))
            return self._state
