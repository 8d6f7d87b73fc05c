"""From the fee to paper in hand: pay, print, receipt, take; and how the request of a visit that ends is settled."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from device.audit import AuditSink
from device.catalogue import name_in
from device.clock import Clock
from device.errors import HirobaError
from device.logs import Log
from device.printer.status import Condition, Receipt, ReceiptOutcome, ReceiptPrinter
from kiosk.issuer.protocol import OrderContent, Quote
from kiosk.services.certificates.form_answers import said
from kiosk.services.certificates.issuance.issuance import Issuance
from kiosk.services.certificates.issuance.printing import PrintEnd, PrintResult
from kiosk.services.certificates.issuance.receipt import ReceiptFacts, receipt_of
from kiosk.services.certificates.payment.terminal import Cancelled, Paid, PaymentTerminal, TerminalState
from kiosk.settings import CitySettings
from kiosk.shell.desk import Desk
from kiosk.shell.journey import Event, Screen
from kiosk.shell.readiness import PRINTER_CODES
from kiosk.shell.visit import Progress, Visit
from kiosk.shell.words import Words

Spawn = Callable[[str, Callable[[], None]], None]
"""(name, work): do the work beside everything else; tests do it at once."""

PATIENCE_SECONDS = 120.0
"""How long a paid request waits for a printer that cannot take it, before the fee goes back."""


@dataclass(frozen=True)
class PaperPorts:
    """What paper needs. wait: sleeps for so many seconds."""

    issuance: Issuance
    terminal: PaymentTerminal
    receipt_printer: ReceiptPrinter
    audit: AuditSink
    clock: Clock
    log: Log
    words: Words
    city: CitySettings
    spawn: Spawn
    wait: Callable[[float], object]
    stop: threading.Event = field(default_factory=threading.Event)


class PaperSteps:
    """Fee, paper and receipt of the visit at the desk."""

    def __init__(self, desk: Desk, ports: PaperPorts) -> None:
        self._desk, self._ports = desk, ports
        desk.on_end(self._settle)

    def poll_payment(self) -> None:
        """Ask the terminal; when the fee is there, print."""
        with self._desk.held() as visit:
            content, state = visit.content, self._state_of(visit)
            if content is None or (visit.step.beneath or visit.step.screen) is not Screen.PAY:
                return
        if isinstance(state, Cancelled) and state.request == content.request:
            self._desk.move(Event.LEAVE)
        elif isinstance(state, Paid) and state.request == content.request:
            self._begin_printing(state)

    def _state_of(self, visit: Visit) -> TerminalState:
        """Nobody is asked for a fee of nothing."""
        if visit.content is not None and visit.quote is not None and visit.quote.fee_yen == 0:
            return Paid(visit.content.request, "free", 0, "")
        return self._ports.terminal.state()

    def _begin_printing(self, paid: Paid) -> None:
        visit = self._desk.begin(Screen.PAY)
        if visit is None or visit.content is None or visit.quote is None or visit.offer is None:
            return
        content, quote, title = visit.content, visit.quote, visit.offer.title
        try:
            self._ports.issuance.paid(paid.request, paid.method, paid.yen, paid.reference)
        except HirobaError as error:
            self._ports.log.error("payment_failed", code=error.code)
            self._desk.trouble(visit, error.code)
            return
        with self._desk.held():
            visit.paid, visit.method = True, paid.method
            visit.progress = Progress(0, quote.pages * content.copies)
            self._desk.finish(visit, Event.PAID)
        self._ports.spawn("printing", lambda: self._print(visit, content, quote, title))

    def leave(self) -> None:
        """The visitor wants to stop; a fee that came at the last moment is printed for, not dropped."""
        self.poll_payment()
        self._desk.move(Event.LEAVE)

    def taken(self) -> None:
        """The visitor has card and paper."""
        with self._desk.held() as visit:
            content = visit.content
            if content is not None and self._desk.move(Event.TAKEN):
                visit.content = None
                self._do("deliver", lambda: self._ports.issuance.delivered(content.request))

    def _print(self, visit: Visit, content: OrderContent, quote: Quote, title: Mapping[str, str]) -> None:
        try:
            end = self._patiently(visit, content.request)
        except HirobaError as error:
            self._ports.log.error("print_failed", code=error.code)
            end = PrintEnd(PrintResult.FAILED, Condition.FAULT)
        if self._ports.stop.is_set():
            return  # the process ends: recovery asks printer and journal
        if end.result is not PrintResult.PRINTED:
            self._not_printed(visit, content, quote, end)
            return
        facts = self._facts(visit, content, quote, said(title, visit.language).text)
        receipt = receipt_of(facts, self._ports.words.of(visit.language))
        with self._desk.held():
            visit.printed = True
            self._desk.finish(visit, Event.PRINTED)
        self._print_receipt(visit, visit.id, content.request, receipt)

    def _patiently(self, visit: Visit, request: str) -> PrintEnd:
        """Nothing was sent while it FAILED, so it is asked again until the printer can take it or patience ends."""
        until = self._ports.clock.monotonic() + PATIENCE_SECONDS
        while True:
            end = self._ports.issuance.print(request, self._progress_of(visit), self._ports.stop)
            over = self._ports.clock.monotonic() >= until or self._ports.stop.is_set()
            if end.result is not PrintResult.FAILED or over:
                return end
            self._tell(visit, Progress(0, visit.progress.total if visit.progress else 0, _waits(end.condition)))
            self._ports.wait(1.0)

    def _progress_of(self, visit: Visit) -> Callable[[int, int, Condition], None]:
        return lambda done, total, condition: self._tell(visit, Progress(done, total, _waits(condition)))

    def _tell(self, visit: Visit, progress: Progress) -> None:
        with self._desk.held() as present:
            if present is visit and visit.progress != progress:
                visit.progress = progress
                self._desk.revise()

    def _not_printed(self, visit: Visit, content: OrderContent, quote: Quote, end: PrintEnd) -> None:
        failed = end.result is PrintResult.FAILED
        if failed:
            self._ports.issuance.give_up(content.request, end.condition.value)
        code = "print.failed" if failed else "print.unknown"
        self._desk.trouble(visit, code, number=quote.issue_number)

    def _facts(self, visit: Visit, content: OrderContent, quote: Quote, certificate: str) -> ReceiptFacts:
        city = self._ports.city
        return ReceiptFacts(
            city=name_in(visit.language, city.name_ja, city.name_en),
            telephone=city.telephone,
            at=self._ports.clock.now(),
            certificate=certificate,
            copies=content.copies,
            fee_yen=quote.fee_yen,
            method=visit.method,
            issue_number=quote.issue_number,
            request=content.request,
        )

    def _print_receipt(self, visit: Visit, visit_id: str, request: str, receipt: Receipt) -> None:
        """A receipt that fails never holds up the certificate."""
        outcome = self._ports.receipt_printer.print(receipt)
        if outcome is ReceiptOutcome.PRINTED:
            self._ports.audit.record("receipt_printed", visit=visit_id, request=request)
        else:
            self._ports.audit.record("receipt_failed", visit=visit_id, request=request, reason=outcome.value)
        with self._desk.held() as present:
            if present is visit:
                visit.receipt = "printed" if outcome is ReceiptOutcome.PRINTED else "failed"
                self._desk.revise()

    def _settle(self, visit: Visit, reason: str) -> None:
        """The visit ends: what is printed went with the visitor, what is not paid is voided."""
        content = visit.content
        if content is None:
            return
        if visit.printed:
            self._do("deliver", lambda: self._ports.issuance.delivered(content.request))
        elif not visit.paid:
            state = self._ports.terminal.cancel()
            self._do("void", lambda: self._void(content.request, state, reason))

    def _void(self, request: str, state: TerminalState, reason: str) -> None:
        self._ports.issuance.give_up(request, reason)
        if isinstance(state, Paid) and state.request == request:  # a moment too late: it goes on the refund list
            self._ports.issuance.paid(request, state.method, state.yen, state.reference)

    def _do(self, name: str, work: Callable[[], object]) -> None:
        """Settle beside everything else: the issuer may be slow to answer, the next visitor does not wait for it."""

        def guarded() -> None:
            try:
                work()
            except HirobaError as error:
                self._ports.log.error("settling_failed", step=name, code=error.code)

        self._ports.spawn(name, guarded)


def _waits(condition: Condition) -> str:
    return PRINTER_CODES.get(condition, "")
