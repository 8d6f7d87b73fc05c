"""From the fee to paper in hand: pay, print, receipt, take; and how the request of a visit that ends is settled."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from device.catalogue import name_in
from device.errors import HirobaError
from device.printer.status import Condition, Receipt, ReceiptOutcome
from kiosk.issuer.protocol import OrderContent, Quote
from kiosk.services.certificates.form_answers import said
from kiosk.services.certificates.issuance.issuance import Issuance
from kiosk.services.certificates.issuance.printing import PrintEnd, PrintResult
from kiosk.services.certificates.issuance.receipt import ReceiptFacts, receipt_of
from kiosk.services.certificates.journey import PAID, PAY, PRINTED, TAKEN
from kiosk.services.certificates.payment.terminal import Cancelled, Paid, PaymentTerminal, TerminalState
from kiosk.services.certificates.state import CertificatesVisit, Progress, certificates
from kiosk.shell.journey import LEAVE
from kiosk.shell.readiness import PRINTER_CODES
from kiosk.shell.service import Shell
from kiosk.shell.visit import Visit

PATIENCE_SECONDS = 120.0
"""How long a paid request waits for a printer that cannot take it, before the fee goes back."""


class PaperSteps:
    """Fee, paper and receipt of the visit at the desk."""

    def __init__(self, shell: Shell, issuance: Issuance, terminal: PaymentTerminal) -> None:
        self._desk, self._shell, self._log = shell.desk, shell, shell.ports.log
        self._issuance, self._terminal = issuance, terminal

    def poll_payment(self) -> None:
        """Ask the terminal; when the fee is there, print."""
        with self._desk.held() as visit:
            state = certificates(visit)
            content = state.content if state else None
            if state is None or content is None or (visit.step.beneath or visit.step.screen) is not PAY:
                return
            answer = self._answer(state)
        if isinstance(answer, Cancelled) and answer.request == content.request:
            self._desk.move(LEAVE)
        elif isinstance(answer, Paid) and answer.request == content.request:
            self._begin_printing(answer)

    def _answer(self, state: CertificatesVisit) -> TerminalState:
        """Nobody is asked for a fee of nothing."""
        if state.content is not None and state.quote is not None and state.quote.fee_yen == 0:
            return Paid(state.content.request, "free", 0, "")
        return self._terminal.state()

    def _begin_printing(self, paid: Paid) -> None:
        visit = self._desk.begin(PAY)
        state = certificates(visit) if visit else None
        if visit is None or state is None or state.content is None or state.quote is None or state.offer is None:
            return
        content, quote, title = state.content, state.quote, state.offer.title
        try:
            self._issuance.paid(paid.request, paid.method, paid.yen, paid.reference)
        except HirobaError as error:
            self._log.error("payment_failed", code=error.code)
            self._desk.trouble(visit, error.code)
            return
        with self._desk.held():
            state.paid, state.method = True, paid.method
            state.progress = Progress(0, quote.pages * content.copies)
            self._desk.finish(visit, PAID)
        self._shell.spawn("printing", lambda: self._print(visit, state, content, quote, title))

    def taken(self) -> None:
        """The visitor has card and paper."""
        with self._desk.held() as visit:
            state = certificates(visit)
            content = state.content if state else None
            if state is not None and content is not None and self._desk.move(TAKEN):
                state.content = None
                self._do("deliver", lambda: self._issuance.delivered(content.request))

    def _print(
        self, visit: Visit, state: CertificatesVisit, content: OrderContent, quote: Quote, title: Mapping[str, str]
    ) -> None:
        try:
            end = self._patiently(visit, state, content.request)
        except HirobaError as error:
            self._log.error("print_failed", code=error.code)
            end = PrintEnd(PrintResult.FAILED, Condition.FAULT)
        if self._shell.stopping.is_set():
            return  # the process ends: recovery asks printer and journal
        if end.result is not PrintResult.PRINTED:
            self._not_printed(visit, content, quote, end)
            return
        facts = self._facts(visit, said(title, visit.language).text, state.method, content, quote)
        receipt = receipt_of(facts, self._shell.words.of(visit.language))
        with self._desk.held():
            state.printed = True
            self._desk.finish(visit, PRINTED)
        self._print_receipt(visit, state, content.request, receipt)

    def _patiently(self, visit: Visit, state: CertificatesVisit, request: str) -> PrintEnd:
        """Nothing was sent while it FAILED, so it is asked again until the printer can take it or patience ends."""
        clock, stopping = self._shell.ports.clock, self._shell.stopping
        until = clock.monotonic() + PATIENCE_SECONDS
        while True:
            end = self._issuance.print(request, self._progress_of(visit, state), stopping)
            if end.result is not PrintResult.FAILED or clock.monotonic() >= until or stopping.is_set():
                return end
            self._show(visit, state, Progress(0, state.progress.total if state.progress else 0, _waits(end.condition)))
            self._shell.ports.wait(1.0)

    def _progress_of(self, visit: Visit, state: CertificatesVisit) -> Callable[[int, int, Condition], None]:
        return lambda done, total, condition: self._show(visit, state, Progress(done, total, _waits(condition)))

    def _show(self, visit: Visit, state: CertificatesVisit, progress: Progress) -> None:
        with self._desk.held() as present:
            if present is visit and state.progress != progress:
                state.progress = progress
                self._desk.revise()

    def _not_printed(self, visit: Visit, content: OrderContent, quote: Quote, end: PrintEnd) -> None:
        failed = end.result is PrintResult.FAILED
        if failed:
            self._issuance.give_up(content.request, end.condition.value)
        code = "print.failed" if failed else "print.unknown"
        self._desk.trouble(visit, code, number=quote.issue_number)

    def _facts(self, visit: Visit, certificate: str, method: str, content: OrderContent, quote: Quote) -> ReceiptFacts:
        city = self._shell.ports.city
        return ReceiptFacts(
            city=name_in(visit.language, city.name_ja, city.name_en),
            telephone=city.telephone,
            at=self._shell.ports.clock.now(),
            certificate=certificate,
            copies=content.copies,
            fee_yen=quote.fee_yen,
            method=method,
            issue_number=quote.issue_number,
            request=content.request,
        )

    def _print_receipt(self, visit: Visit, state: CertificatesVisit, request: str, receipt: Receipt) -> None:
        """A receipt that fails never holds up the certificate."""
        visit_id, audit = visit.id, self._shell.audit
        outcome = self._shell.ports.receipt_printer.print(receipt)
        if outcome is ReceiptOutcome.PRINTED:
            audit.record("receipt_printed", visit=visit_id, request=request)
        else:
            audit.record("receipt_failed", visit=visit_id, request=request, reason=outcome.value)
        with self._desk.held() as present:
            if present is visit:
                state.receipt = "printed" if outcome is ReceiptOutcome.PRINTED else "failed"
                self._desk.revise()

    def settle(self, state: CertificatesVisit, reason: str) -> None:
        """The visit ends: what is printed went with the visitor, what is not paid is voided."""
        content = state.content
        if content is None:
            return
        if state.printed:
            self._do("deliver", lambda: self._issuance.delivered(content.request))
        elif not state.paid:
            answer = self._terminal.cancel()
            self._do("void", lambda: self._void(content.request, answer, reason))

    def _void(self, request: str, answer: TerminalState, reason: str) -> None:
        self._issuance.give_up(request, reason)
        if isinstance(answer, Paid) and answer.request == request:  # a moment too late: it goes on the refund list
            self._issuance.paid(request, answer.method, answer.yen, answer.reference)

    def _do(self, name: str, work: Callable[[], object]) -> None:
        """Settle beside everything else: the issuer may be slow to answer, the next visitor does not wait for it."""

        def guarded() -> None:
            try:
                work()
            except HirobaError as error:
                self._log.error("settling_failed", step=name, code=error.code)

        self._shell.spawn(name, guarded)


def _waits(condition: Condition) -> str:
    return PRINTER_CODES.get(condition, "")
