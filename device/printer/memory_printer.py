"""Both printers in memory, for unit tests of the rooms above and for a box without hardware.

They hold the same contract tests as the drivers.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from uuid import uuid4

from device.errors import PrinterRefused, PrinterUnreachable
from device.printer.pdf_drawing import NotAPdf, page_count
from device.printer.status import Condition, JobProgress, JobState, PrintJob, Receipt, ReceiptOutcome

UNREACHABLE = (Condition.SILENT, Condition.OFFLINE)


class MemoryReceiptPrinter:
    """A ReceiptPrinter that keeps what came out in ``receipts``."""

    def __init__(self) -> None:
        self.receipts: list[Receipt] = []
        self._condition = Condition.READY
        self._midway: tuple[Condition, ReceiptOutcome] | None = None

    def set(self, condition: Condition) -> None:
        """Put the printer into ``condition`` until the next ``set``."""
        self._condition = condition

    def fail_midway(self, condition: Condition) -> None:
        """Let the next receipt break off half way with ``condition``; a line gone silent leaves its fate unknown."""
        outcome = ReceiptOutcome.UNKNOWN if condition is Condition.SILENT else ReceiptOutcome.NOT_PRINTED
        self._midway = (condition, outcome)

    def condition(self) -> Condition:
        """See ReceiptPrinter."""
        return self._condition

    def print(self, receipt: Receipt) -> ReceiptOutcome:
        """See ReceiptPrinter."""
        if not self._condition.can_print:
            return ReceiptOutcome.NOT_PRINTED
        if self._midway:
            (self._condition, outcome), self._midway = self._midway, None
            return outcome
        self.receipts.append(receipt)
        return ReceiptOutcome.PRINTED


@dataclass
class _Job:
    """A job in the printer: its name, its data once sent, and the polls it still takes."""

    ticket: PrintJob
    name: str
    pdf: bytes | None = None
    polls: int = 0
    state: JobState = JobState.HELD
    impressions: int = 0
    reasons: tuple[str, ...] = ("job-data-insufficient",)


class MemoryPagePrinter:
    """A PagePrinter whose pages land in ``printed`` as (job name, PDF); ``pages`` counts the sides.

    A sent job completes at the first ``progress`` after ``polls_until_complete`` earlier ones, if paper can come.
    ``count_pages`` tells the sides of a document; tests whose documents are not PDFs hand in their own.
    """

    def __init__(self, polls_until_complete: int = 0, count_pages: Callable[[bytes], int] = page_count) -> None:
        self.printed: list[tuple[str, bytes]] = []
        self.pages = 0
        self._polls = polls_until_complete
        self._count = count_pages
        self._condition = Condition.READY
        self._uuid = uuid4().urn
        self._jobs: dict[int, _Job] = {}
        self._next_id = 1
        self._up_time = 1
        self._lost: set[str] = set()
        self._lock = threading.RLock()

    def set(self, condition: Condition) -> None:
        """Put the printer into ``condition`` until the next ``set``; SILENT and OFFLINE answer nothing at all."""
        self._condition = condition

    def lose_answer(self, operation: str) -> None:
        """Do the next ``operation`` (create, send, progress, find, cancel), but lose its answer on the way back."""
        self._lost.add(operation)

    def restart(self) -> None:
        """Switch off and on: jobs are forgotten and ids begin at 1 again (docs/sources.md#ipp-jobs)."""
        with self._lock:
            self._jobs.clear()
            self._next_id = self._up_time = 1

    def let_print(self, name: str) -> None:
        """Let the paper of the job ``name`` come out now, though nobody asks for its progress."""
        with self._lock:
            for job in [j for j in self._jobs.values() if j.name == name and j.state is JobState.PROCESSING]:
                self._print(job)

    def condition(self) -> Condition:
        """See PagePrinter."""
        return self._condition

    def create(self, name: str) -> PrintJob:
        """See PagePrinter."""
        with self._lock:
            self._check_reachable()
            ticket = PrintJob(self._next_id, uuid4().urn, self._uuid, self._up_time)
            self._jobs[ticket.job_id] = _Job(ticket, name)
            self._next_id += 1
            self._up_time += 1
            self._lose_if_asked("create")
            return ticket

    def send(self, job: PrintJob, pdf: bytes) -> None:
        """See PagePrinter."""
        with self._lock:
            self._check_reachable()
            known = self._known(job)
            if known is None:
                raise PrinterRefused(operation="Send-Document", status="0x0406")
            if known.state is not JobState.HELD:
                raise PrinterRefused(operation="Send-Document", status="0x0404")
            known.pdf, known.polls = pdf, self._polls
            known.state, known.reasons = JobState.PROCESSING, ("job-printing",)
            self._lose_if_asked("send")

    def progress(self, job: PrintJob) -> JobProgress | None:
        """See PagePrinter."""
        with self._lock:
            self._check_reachable()
            known = self._known(job)
            if known:
                self._work(known)
            self._lose_if_asked("progress")
            return JobProgress(known.state, known.impressions, known.reasons) if known else None

    def find(self, name: str) -> PrintJob | None:
        """See PagePrinter."""
        with self._lock:
            self._check_reachable()
            self._lose_if_asked("find")
            return next((j.ticket for j in reversed(self._jobs.values()) if j.name == name), None)

    def cancel(self, job: PrintJob) -> None:
        """See PagePrinter."""
        with self._lock:
            self._check_reachable()
            known = self._known(job)
            if known and not known.state.final:
                known.state, known.reasons = JobState.CANCELED, ("job-canceled-by-user",)
            self._lose_if_asked("cancel")

    def _known(self, job: PrintJob) -> _Job | None:
        known = self._jobs.get(job.job_id)
        return known if known and known.ticket.job_uuid == job.job_uuid else None

    def _check_reachable(self) -> None:
        if self._condition in UNREACHABLE:
            raise PrinterUnreachable(printer="page")

    def _lose_if_asked(self, operation: str) -> None:
        """Raises PrinterUnreachable when ``lose_answer`` asked for it."""
        if operation in self._lost:
            self._lost.remove(operation)
            raise PrinterUnreachable(printer="page")

    def _work(self, job: _Job) -> None:
        """Move a sent job on by one poll."""
        if job.state is not JobState.PROCESSING or not self._condition.can_print:
            return
        if job.polls:
            job.polls -= 1
            return
        self._print(job)

    def _print(self, job: _Job) -> None:
        try:
            sides = self._count(job.pdf or b"")
        except NotAPdf:
            job.state, job.reasons = JobState.ABORTED, ("document-format-error",)
            return
        job.state, job.impressions, job.reasons = JobState.COMPLETED, sides, ("job-completed-successfully",)
        self.printed.append((job.name, job.pdf or b""))
        self.pages += sides
