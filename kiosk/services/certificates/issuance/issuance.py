"""One request from "I would like" to paper in hand: the order of acts that keeps N1 and N2.

Every method writes the journal first, then acts. The PDF lives here in memory only, keyed by its request, from the gate
to the printer.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from device.audit import AuditSink
from device.clock import Clock
from device.errors import HirobaError, PrinterRefused, PrinterUnreachable
from device.printer.status import Condition, PagePrinter, PrintJob
from device.secrets import Secret
from device.strict_pdf.page_rules import OUR_PAPERS, PageRules
from kiosk.issuer.errors import IssuerUnreachable
from kiosk.issuer.port import IssuerPort
from kiosk.issuer.protocol import Document, DocumentRequest, Order, OrderContent, Quote, Refusal, outcome_key
from kiosk.services.certificates.issuance import outcomes, page_gate
from kiosk.services.certificates.issuance.alarm_reasons import PAGE_MISMATCH, PAPER_UNACCOUNTED
from kiosk.services.certificates.issuance.journal import Journal, Payment, RequestRow
from kiosk.services.certificates.issuance.page_gate import Mismatch
from kiosk.services.certificates.issuance.printing import JobWatch, OnProgress, PrintEnd, PrintResult, nobody_watches
from kiosk.services.certificates.issuance.recovery import Action, Recovery
from kiosk.services.certificates.issuance.settings import IssuanceSettings
from kiosk.services.certificates.issuance.states import Event, IllegalMove, State
from kiosk.shell.alarm import Alarm


class KioskClosed(HirobaError):
    """An alarm stands: no request may begin, be prepared or be printed. facts: none."""

    code = "kiosk.closed_by_alarm"


class FeeDiffers(HirobaError):
    """The terminal confirmed another sum than the fee. facts: fee, yen."""

    code = "payment.fee_differs"


@dataclass(frozen=True)
class Prepared:
    """The document passed the last gate and waits in memory. pages: sides of all copies."""

    request: str
    pages: int
    sha256: str


class Issuance:
    """The kiosk's issuing office. wait: sleeps for so many seconds between two looks at the printer. later: runs a
    piece of work that may take the issuer's time-out, so that no screen waits for it; at once unless told otherwise.
    """

    def __init__(
        self,
        issuer: IssuerPort,
        page_printer: PagePrinter,
        journal: Journal,
        audit: AuditSink,
        clock: Clock,
        *,
        alarm: Alarm,
        settings: IssuanceSettings | None = None,
        page_rules: PageRules = OUR_PAPERS,
        wait: Callable[[float], object] = time.sleep,
        later: Callable[[Callable[[], object]], object] = lambda work: work(),
    ) -> None:
        self._issuer = issuer
        self._printer = page_printer
        self._journal = journal
        self._audit = audit
        self._alarm = alarm
        self._later = later
        self._page_rules = page_rules
        self._watch = JobWatch(page_printer, clock, settings or IssuanceSettings(), wait)
        self._documents: dict[str, Secret] = {}
        self._lock = threading.Lock()

    def ask(self, visit: str, content: OrderContent) -> None:
        """A resident asks for a certificate. Raises KioskClosed."""
        self._must_be_open()
        self._journal.ask(visit, content)

    def authorise(self, order: Order) -> Quote | Refusal:
        """Send what the card signed to the issuer. Raises IssuerUnreachable, IssuerBusy, IssuerBroken: call
        again, or void.
        """
        request = order.content.request
        if self._journal.row(request).state is not State.AUTHORISED:
            self._journal.authorised(request, outcome_key(order.visit, request))
        answer = self._issuer.order(order)
        if isinstance(answer, Refusal):
            self._journal.move(request, Event.REFUSE, answer.refused.value)
            return answer
        self._journal.quoted(request, answer)
        return answer

    def prepare(self, request: str, visit_token: str, binding: str) -> Prepared | Refusal | Mismatch:
        """Fetch the document and hold it against this visit, page by page. A Mismatch destroys it and closes the kiosk.
        visit_token and binding are those of the visit's Resident. Raises KioskClosed, IllegalMove, IssuerUnreachable,
        IssuerBusy, IssuerBroken.
        """
        self._must_be_open()
        row = self._in_state(request, State.QUOTED)
        document = self._document(request, visit_token)
        if isinstance(document, Refusal):
            self._journal.move(request, Event.REFUSE, document.refused.value)
            self._later(self.tell_outcomes)
            return document
        found = page_gate.check(document, request, binding, row.pages, self._page_rules)
        if isinstance(found, Mismatch):
            return self._destroyed(row, found)
        self._journal.prepared(request, document.sha256)
        with self._lock:
            self._documents[request] = Secret(document.pdf)
        return Prepared(request, found.pages, document.sha256)

    def _document(self, request: str, visit_token: str) -> Document | Refusal:
        """An answer that is lost is asked for once more: the issuer gives the same bytes again, for a minute."""
        message = DocumentRequest(visit=visit_token)
        try:
            return self._issuer.document(request, message)
        except IssuerUnreachable:
            return self._issuer.document(request, message)

    def paid(self, request: str, method: str, yen: int, reference: str) -> None:
        """The terminal took the fee. After ``void`` it is still recorded and stands on the refund list, and the same
        payment may be told twice. Raises FeeDiffers (nothing written), IllegalMove.
        """
        fee = self._journal.row(request).fee_yen
        if yen != fee:
            raise FeeDiffers(fee=fee, yen=yen)
        self._journal.paid(request, Payment(method, yen, reference))

    def print(
        self, request: str, on_progress: OnProgress = nobody_watches, stop: threading.Event | None = None
    ) -> PrintEnd:
        """Print a paid request; blocks until its end. FAILED leaves it paid: call again, or ``give_up``. UNKNOWN closes
        the kiosk until staff looked. ``stop`` is for the process's end: the job runs on and recovery asks after it.
        Raises KioskClosed, IllegalMove.
        """
        self._must_be_open()
        with self._lock:
            document = self._documents.get(request)
        condition = self._printer.condition()
        row = self._in_state(request, State.PAID)
        if document is None or not condition.can_print:
            return PrintEnd(PrintResult.FAILED, condition)
        row = self._journal.printing(request)
        try:
            end = self._print(row, document.reveal(), on_progress, stop)
        except Exception:
            self._finish(row, PrintEnd(PrintResult.UNKNOWN, Condition.FAULT))
            raise
        if not (stop and stop.is_set()):
            self._finish(row, end)
        return end

    def delivered(self, request: str) -> None:
        """The resident took the paper."""
        self._journal.move(request, Event.DELIVER)
        self._later(self.tell_outcomes)

    def void(self, request: str, reason: str) -> None:
        """The visit ends before payment. Raises IllegalMove once it is paid: then ``give_up``."""
        if self._journal.row(request).state is State.PAID:
            raise IllegalMove(state=State.PAID.value, event=Event.VOID.value)
        self._journal.move(request, Event.VOID, reason)
        self.forget(request)
        self._later(self.tell_outcomes)

    def give_up(self, request: str, reason: str) -> State:
        """End the request from wherever it stands, safely; the state it came to rest in. Before payment: voided. Paid:
        voided, on the refund list. Printed and not seen taken: unknown, and the kiosk closes until staff looked.
        Raises IllegalMove while ``print`` runs.
        """
        row = self._journal.row(request)
        if row.state.final:
            return row.state
        if row.state is State.PRINTING:
            raise IllegalMove(state=row.state.value, event=Event.VOID.value)
        event = Event.LOSE if row.state is State.PRINTED else Event.VOID
        if event is Event.LOSE:
            self._alarm.raise_(PAPER_UNACCOUNTED, request)
        state = self._journal.move(request, event, reason)
        self.forget(request)
        self._later(self.tell_outcomes)
        return state

    def forget(self, request: str) -> None:
        """Wipe the document from memory."""
        with self._lock:
            document = self._documents.pop(request, None)
        if document is not None:
            document.wipe()

    def recover(self) -> list[tuple[str, Action]]:
        """Bring to rest what an earlier run of the process left in the middle: once, before anybody is served."""
        return Recovery(
            self._issuer,
            self._printer,
            self._journal,
            alarm=self._alarm,
            watch=self._watch,
        ).run()

    def tell_outcomes(self) -> int:
        """Tell the issuer what it has not confirmed yet; how many are left untold. Call it now and then."""
        return outcomes.tell(self._journal, self._issuer)

    def _print(self, row: RequestRow, pdf: bytes, on_progress: OnProgress, stop: threading.Event | None) -> PrintEnd:
        job = self._create(row)
        if isinstance(job, PrintEnd):
            return job
        self._journal.sending(row.request, job)
        try:
            self._printer.send(job, pdf)
        except PrinterRefused:
            return self._watch.refused(job)
        except PrinterUnreachable:
            pass  # it may have arrived: the job itself will tell
        return self._watch.follow(job, row.pages, on_progress, stop)

    def _create(self, row: RequestRow) -> PrintJob | PrintEnd:
        try:
            return self._printer.create(row.job_name)
        except (PrinterRefused, PrinterUnreachable) as error:
            self._watch.drop(row.job_name)
            refused = isinstance(error, PrinterRefused)
            return PrintEnd(PrintResult.FAILED, Condition.FAULT if refused else Condition.SILENT)

    def _finish(self, row: RequestRow, end: PrintEnd) -> None:
        if end.result is not PrintResult.FAILED:
            self.forget(row.request)
        if end.result is PrintResult.PRINTED:
            self._journal.move(row.request, Event.COMPLETE)
        elif end.result is PrintResult.FAILED:
            self._journal.move(row.request, Event.FAIL, end.condition.value)
        else:
            self._alarm.raise_(PAPER_UNACCOUNTED, row.request)  # first: a crash in between must not open the kiosk
            self._journal.move(row.request, Event.LOSE, end.condition.value)
            self._later(self.tell_outcomes)

    def _destroyed(self, row: RequestRow, found: Mismatch) -> Mismatch:
        self._alarm.raise_(PAGE_MISMATCH, row.request)
        self._audit.record("pages_mismatched", visit=row.visit, request=row.request, page=found.page)
        self._journal.move(row.request, Event.VOID, PAGE_MISMATCH)
        self._later(self.tell_outcomes)
        return found

    def _in_state(self, request: str, state: State) -> RequestRow:
        row = self._journal.row(request)
        if row.state is not state:
            raise IllegalMove(state=row.state.value, event=f"needs {state.value}")
        return row

    def _must_be_open(self) -> None:
        if self._alarm.closed:
            raise KioskClosed()
