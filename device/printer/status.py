"""What printers can tell, as values, and the ports the drivers fill."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Protocol


class Condition(Enum):
    """What stands in the way of printing. READY and PAPER_LOW print; all others do not."""

    READY = "ready"
    PAPER_LOW = "paper_low"
    PAPER_OUT = "paper_out"
    COVER_OPEN = "cover_open"
    JAM = "jam"
    TONER_OUT = "toner_out"
    OFFLINE = "offline"
    SILENT = "silent"
    FAULT = "fault"

    @property
    def can_print(self) -> bool:
        """Whether paper would come out now."""
        return self in (Condition.READY, Condition.PAPER_LOW)


class ReceiptOutcome(Enum):
    """PRINTED only when the printer itself confirmed the end of the data; a completed write proves nothing."""

    PRINTED = "printed"
    NOT_PRINTED = "not_printed"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class ReceiptLine:
    """One line of text. size: 1 normal, 2 double. align: left, center, right. ``right`` is set flush right. language:
    chooses the font (device.fonts).
    """

    text: str
    right: str = ""
    size: int = 1
    align: str = "left"
    bold: bool = False
    language: str = "ja"


@dataclass(frozen=True)
class ReceiptRule:
    """A horizontal rule."""


@dataclass(frozen=True)
class ReceiptQr:
    """A QR code of ``text``, centred."""

    text: str


Receipt = tuple[ReceiptLine | ReceiptRule | ReceiptQr, ...]


class ReceiptPrinter(Protocol):
    """The small thermal printer."""

    def condition(self) -> Condition:
        """Ask the printer now; silence is Condition.SILENT. Never raises."""
        ...

    def print(self, receipt: Receipt) -> ReceiptOutcome:
        """Print and cut one receipt, and wait for the printer's own confirmation. Never raises for paper or cable."""
        ...


class JobState(Enum):
    """job-state of RFC 8011 §5.3.7, by its registered number."""

    PENDING = 3
    HELD = 4
    PROCESSING = 5
    STOPPED = 6
    CANCELED = 7
    ABORTED = 8
    COMPLETED = 9

    @property
    def final(self) -> bool:
        """Whether the job moves no more."""
        return self.value >= 7


@dataclass(frozen=True)
class PrintJob:
    """One job as the printer names it. Ids start again after a printer's restart, so all four belong to its identity
    (docs/sources.md#ipp-jobs); printer_up_time is in seconds.
    """

    job_id: int
    job_uuid: str
    printer_uuid: str
    printer_up_time: int


@dataclass(frozen=True)
class JobProgress:
    """What the printer says of a job now; impressions are sides printed."""

    state: JobState
    impressions: int
    reasons: tuple[str, ...] = ()


class PagePrinter(Protocol):
    """The A4 printer. Jobs are named by our request id, so that a job is found again after a crash."""

    def condition(self) -> Condition:
        """Ask the printer now; no answer is Condition.SILENT. Never raises."""
        ...

    def create(self, name: str) -> PrintJob:
        """Create-Job: nothing is printed yet. Raises PrinterUnreachable, PrinterRefused."""
        ...

    def send(self, job: PrintJob, pdf: bytes) -> None:
        """Send-Document as the last one: from here paper may come. Raises PrinterUnreachable, PrinterRefused."""
        ...

    def progress(self, job: PrintJob) -> JobProgress | None:
        """What became of the job; None when the printer no longer knows it. Raises PrinterUnreachable."""
        ...

    def find(self, name: str) -> PrintJob | None:
        """The job created under ``name``, running or finished, or None. Raises PrinterUnreachable."""
        ...

    def cancel(self, job: PrintJob) -> None:
        """Cancel-Job; a job already final is left alone. Raises PrinterUnreachable."""
        ...
