"""What becomes of requests that a crash or a power cut left in the middle: a pure plan, then the acts.

Rules: nothing is ever printed here. What was never sent is voided (paid: refund list). What was sent is followed to its
end; complete or not, nobody saw the paper being taken, so staff look (docs/sources.md#printed-once).
"""

from __future__ import annotations

from enum import Enum

from device.errors import PrinterError
from device.printer.status import PagePrinter, PrintJob
from kiosk.issuer.port import IssuerPort
from kiosk.services.certificates.issuance import outcomes
from kiosk.services.certificates.issuance.alarm_reasons import PAPER_UNACCOUNTED
from kiosk.services.certificates.issuance.journal import Journal, RequestRow
from kiosk.services.certificates.issuance.printing import JobWatch, PrintEnd, PrintResult, nobody_watches
from kiosk.services.certificates.issuance.states import Event, State
from kiosk.shell.alarm import Alarm

RESTART = "restart"


class Found(Enum):
    """What the printer says of the row's own job: OURS it knows it, NONE it does not, SILENT it does not answer."""

    OURS = "ours"
    NONE = "none"
    SILENT = "silent"


class Action(Enum):
    """What recovery does with a request."""

    NOTHING = "nothing"
    VOID = "void"
    DROP_AND_VOID = "drop_and_void"
    FOLLOW = "follow"
    ASK_STAFF = "ask_staff"


def plan(row: RequestRow, found: Found) -> Action:
    """What to do with ``row``. ``found`` matters only while it is printing a document that was, perhaps, sent."""
    if row.state.final:
        return Action.NOTHING
    if row.state is State.PRINTED:
        return Action.ASK_STAFF
    if row.state is not State.PRINTING:
        return Action.VOID
    if row.job is None:
        return Action.DROP_AND_VOID
    return Action.FOLLOW if found is Found.OURS else Action.ASK_STAFF


class Recovery:
    """Run once at start, before anybody is served; it may take as long as a stalled job is followed."""

    def __init__(
        self,
        issuer: IssuerPort,
        page_printer: PagePrinter,
        journal: Journal,
        *,
        alarm: Alarm,
        watch: JobWatch,
    ) -> None:
        self._issuer = issuer
        self._printer = page_printer
        self._journal = journal
        self._alarm = alarm
        self._watch = watch

    def run(self) -> list[tuple[str, Action]]:
        """Bring every unfinished request to rest and tell the issuer; what was done, oldest first. Repeatable."""
        done = [(row.request, self._recover(row)) for row in self._journal.unfinished()]
        outcomes.tell(self._journal, self._issuer)
        return done

    def _recover(self, row: RequestRow) -> Action:
        action = plan(row, self._ask_printer(row))
        if action is Action.DROP_AND_VOID:
            self._watch.drop(row.job_name)
            self._journal.move(row.request, Event.FAIL, RESTART)
        if action in (Action.VOID, Action.DROP_AND_VOID):
            self._journal.move(row.request, Event.VOID, RESTART)
        if action is Action.FOLLOW and row.job is not None:
            self._alarm.raise_(PAPER_UNACCOUNTED, row.request)
            if self._follow(row, row.job).result is PrintResult.PRINTED:
                self._journal.move(row.request, Event.COMPLETE)
        if action is Action.ASK_STAFF:
            self._alarm.raise_(PAPER_UNACCOUNTED, row.request)
        if action in (Action.FOLLOW, Action.ASK_STAFF):
            self._journal.move(row.request, Event.LOSE, RESTART)
        return action

    def _follow(self, row: RequestRow, job: PrintJob) -> PrintEnd:
        return self._watch.follow(job, row.pages, nobody_watches)

    def _ask_printer(self, row: RequestRow) -> Found:
        if row.state is not State.PRINTING or row.job is None:
            return Found.NONE
        try:
            found = self._printer.find(row.job_name)
        except PrinterError:
            return Found.SILENT
        same = found is not None and (found.job_uuid, found.printer_uuid) == (row.job.job_uuid, row.job.printer_uuid)
        return Found.OURS if same else Found.NONE
