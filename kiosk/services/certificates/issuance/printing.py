"""Watches one print job until the printer says how it ended, or gives up on it. Knows neither journal nor issuer."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from device.clock import Clock
from device.errors import PrinterError
from device.printer.status import Condition, JobProgress, JobState, PagePrinter, PrintJob
from kiosk.services.certificates.issuance.settings import IssuanceSettings

OnProgress = Callable[[int, int, Condition], None]
"""(sides printed, sides in all, what stands in the way now) -> nothing; called at every look at the printer."""


def nobody_watches(_done: int, _pages: int, _condition: Condition) -> None:
    """An OnProgress for when there is no screen to tell."""


class PrintResult(Enum):
    """PRINTED: the printer confirmed every side. FAILED: the printer holds no document of ours, the request is paid and
    may be printed again. UNKNOWN: only the paper can tell; staff must look.
    """

    PRINTED = "printed"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class PrintEnd:
    """How printing ended, with the sides the printer counted and what stood in its way."""

    result: PrintResult
    condition: Condition = Condition.READY
    impressions: int = 0


def is_complete(progress: JobProgress | None, pages: int) -> bool:
    """Proof of a printed document: completed, as many impressions as pages (docs/sources.md#printed-once)."""
    return progress is not None and progress.state is JobState.COMPLETED and progress.impressions == pages


class JobWatch:
    """Follows jobs on one printer. wait: sleeps for so many seconds."""

    def __init__(
        self, printer: PagePrinter, clock: Clock, settings: IssuanceSettings, wait: Callable[[float], object]
    ) -> None:
        self._printer = printer
        self._clock = clock
        self._settings = settings
        self._wait = wait

    def follow(
        self, job: PrintJob, pages: int, on_progress: OnProgress, stop: threading.Event | None = None
    ) -> PrintEnd:
        """Look until the job is final, no side came for ``stall_seconds`` (then it is cancelled), or ``stop`` is set
        (then it is left running). Never FAILED: the document was sent.
        """
        done, since, condition = 0, self._clock.monotonic(), Condition.READY
        while not (stop and stop.is_set()):
            progress, condition = self._look(job)
            if isinstance(progress, JobProgress):
                since = since if progress.impressions == done else self._clock.monotonic()
                done = progress.impressions
            on_progress(done, pages, condition)
            if progress is None or (isinstance(progress, JobProgress) and progress.state.final):
                return _end(progress, pages, condition)
            if self._clock.monotonic() - since >= self._settings.stall_seconds:
                return self._give_up(job, pages, condition)
            self._wait(self._settings.poll_seconds)
        return PrintEnd(PrintResult.UNKNOWN, condition, done)

    def refused(self, job: PrintJob) -> PrintEnd:
        """The printer said no to the document: FAILED when the cancelled job has printed nothing, else UNKNOWN."""
        try:
            self._printer.cancel(job)
            progress = self._printer.progress(job)
        except PrinterError:
            return PrintEnd(PrintResult.UNKNOWN, Condition.FAULT)
        ended = progress is not None and progress.state in (JobState.CANCELED, JobState.ABORTED)
        nothing = ended and progress is not None and progress.impressions == 0
        return PrintEnd(PrintResult.FAILED if nothing else PrintResult.UNKNOWN, Condition.FAULT)

    def drop(self, name: str) -> None:
        """Cancel a job that was created but never sent, so that it does not hold up the printer; silence is no harm."""
        try:
            job = self._printer.find(name)
            if job is not None:
                self._printer.cancel(job)
        except PrinterError:
            return

    def _look(self, job: PrintJob) -> tuple[JobProgress | Condition | None, Condition]:
        """The job's progress (None: the printer forgot it; a Condition: no answer) and the printer's condition."""
        try:
            progress = self._printer.progress(job)
        except PrinterError:
            return Condition.SILENT, Condition.SILENT
        return progress, self._printer.condition()

    def _give_up(self, job: PrintJob, pages: int, condition: Condition) -> PrintEnd:
        """A timeout kills the job; it never leads to print (docs/sources.md#card-incidents, Yokohama 2023)."""
        try:
            self._printer.cancel(job)
        except PrinterError:
            return PrintEnd(PrintResult.UNKNOWN, condition)
        progress, _ = self._look(job)  # it may have come to its end at the last moment
        return _end(progress if isinstance(progress, JobProgress) else None, pages, condition)


def _end(progress: JobProgress | None, pages: int, condition: Condition) -> PrintEnd:
    """After the document was sent only completion with every side is certain: "canceled" is not "not printed"."""
    result = PrintResult.PRINTED if is_complete(progress, pages) else PrintResult.UNKNOWN
    return PrintEnd(result, condition, progress.impressions if progress else 0)
