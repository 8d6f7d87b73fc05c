"""Payment at the counter: staff take the money and confirm it on the screen with the staff code."""

from __future__ import annotations

from device.audit import AuditSink
from device.secrets import Secret
from kiosk.services.certificates.payment.fee_terminal import FeeTerminal
from kiosk.shell.staff_code import Accepted, CodeCheck, StaffCode, WrongCode, facts_of


class CounterTerminal(FeeTerminal):
    """The person behind the counter is the terminal."""

    def __init__(self, staff_code: StaffCode, audit: AuditSink) -> None:
        super().__init__("counter")
        self._staff_code = staff_code
        self._audit = audit

    def confirm(self, code: Secret, visit: str) -> CodeCheck:
        """Staff took the fee that is waiting. The code is wiped; that it was wrong stands in the audit."""
        answer = self._staff_code.check(code)
        if isinstance(answer, Accepted):
            self._settle()
        elif isinstance(answer, WrongCode):
            self._audit.record("staff_code_refused", visit=visit, **facts_of(answer, self._staff_code))
        return answer
