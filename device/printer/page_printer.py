"""The A4 printer over IPP: PagePrinter by the product's HTTP client (docs/sources.md#printed-once).

One request, one connection: a printer that restarted between two requests is then no special case.
"""

from __future__ import annotations

import itertools
from http import HTTPStatus
from urllib.parse import urlsplit

from device.errors import PrinterRefused, PrinterUnreachable
from device.http_exchange import NO_HTTP, Where, exchange
from device.printer import ipp
from device.printer.ipp import Attribute, Group, IppMessage, NotIpp, Operation, Status, Tag, attribute
from device.printer.settings import PagePrinterSettings
from device.printer.status import Condition, JobProgress, JobState, PrintJob

USER = "hiroba"
PDF = "application/pdf"
MAX_ANSWER_BYTES = 1024 * 1024
"""Thousands of old jobs; a usual answer has less than one thousandth of it."""
MIN_DOCUMENT_RATE = 4096
"""Bytes a second of a document that earn further time."""
_STOPPED = 5  # printer-state "stopped" (RFC 8011 §5.4.11)

REASONS: tuple[tuple[str, Condition], ...] = (
    ("media-jam", Condition.JAM),
    ("cover-open", Condition.COVER_OPEN),
    ("door-open", Condition.COVER_OPEN),
    ("interlock-open", Condition.COVER_OPEN),
    ("media-empty", Condition.PAPER_OUT),
    ("media-needed", Condition.PAPER_OUT),
    ("input-tray-missing", Condition.PAPER_OUT),
    ("toner-empty", Condition.TONER_OUT),
    ("marker-supply-empty", Condition.TONER_OUT),
    ("shutdown", Condition.OFFLINE),
    ("paused", Condition.OFFLINE),
    ("media-low", Condition.PAPER_LOW),
)
"""printer-state-reasons (RFC 8011 §5.4.12), the gravest first; they come with -error, -warning, -report or bare."""

_PROGRESS = ("job-state", "job-state-reasons", "job-impressions-completed", "job-uuid", "job-printer-up-time")


class IppPagePrinter:
    """See PagePrinter. Safe across threads."""

    def __init__(self, settings: PagePrinterSettings) -> None:
        parts = urlsplit(settings.uri)
        self._uri = settings.uri
        self._where, self._path = Where(parts.hostname or "127.0.0.1", parts.port or 631), parts.path or "/"
        self._timeout = settings.timeout_seconds
        self._numbers = itertools.count(1)

    def condition(self) -> Condition:
        """See PagePrinter."""
        wanted = ("printer-state", "printer-state-reasons", "printer-is-accepting-jobs", "document-format-supported")
        try:
            answer = self._ask(Operation.GET_PRINTER_ATTRIBUTES, _requested(wanted))
        except PrinterUnreachable:
            return Condition.SILENT
        except PrinterRefused:
            return Condition.FAULT
        return condition_of(answer.group(Tag.PRINTER))

    def create(self, name: str) -> PrintJob:
        """See PagePrinter."""
        printer = self._ask(Operation.GET_PRINTER_ATTRIBUTES, _requested(("printer-uuid", "printer-up-time")))
        answer = self._ask(Operation.CREATE_JOB, [_name(name)])
        job = answer.group(Tag.JOB)
        return _job(job, printer.group(Tag.PRINTER))

    def send(self, job: PrintJob, pdf: bytes) -> None:
        """See PagePrinter. Send-Document knows a job by its number alone, so whose number it is now is asked first."""
        if self.progress(job) is None:
            raise PrinterRefused(operation=Operation.SEND_DOCUMENT.name, status=_hex(Status.NOT_FOUND))
        self._ask(
            Operation.SEND_DOCUMENT,
            [
                _job_id(job),
                attribute("document-format", Tag.MIME_TYPE, PDF),
                attribute("last-document", Tag.BOOLEAN, True),
            ],
            pdf,
        )

    def progress(self, job: PrintJob) -> JobProgress | None:
        """See PagePrinter. A job of another uuid under our number is not ours (docs/sources.md#ipp-jobs)."""
        wanted = _requested(_PROGRESS)
        try:
            answer = self._ask(Operation.GET_JOB_ATTRIBUTES, [_job_id(job), *wanted])
        except PrinterRefused as refused:
            if refused.facts["status"] == _hex(Status.NOT_FOUND):
                return None
            raise
        found = answer.group(Tag.JOB)
        return _progress(found) if _is_still(job, found) else None

    def find(self, name: str) -> PrintJob | None:
        """See PagePrinter."""
        printer = self._ask(Operation.GET_PRINTER_ATTRIBUTES, _requested(("printer-uuid", "printer-up-time")))
        wanted = _requested(("job-id", "job-name", "job-uuid"))
        for which in ("not-completed", "completed"):
            answer = self._ask(Operation.GET_JOBS, [attribute("which-jobs", Tag.KEYWORD, which), *wanted])
            for job in answer.every(Tag.JOB):
                if job.first("job-name") == name:
                    return _job(job, printer.group(Tag.PRINTER))
        return None

    def cancel(self, job: PrintJob) -> None:
        """See PagePrinter. A job that took our number after a restart is left alone, too."""
        if self.progress(job) is None:
            return
        try:
            self._ask(Operation.CANCEL_JOB, [_job_id(job)])
        except PrinterRefused as refused:
            if refused.facts["status"] not in (_hex(Status.NOT_POSSIBLE), _hex(Status.NOT_FOUND)):
                raise

    def _ask(self, operation: Operation, attributes: list[Attribute], document: bytes = b"") -> IppMessage:
        head = [
            attribute("attributes-charset", Tag.CHARSET, "utf-8"),
            attribute("attributes-natural-language", Tag.LANGUAGE, "en"),
            attribute("printer-uri", Tag.URI, self._uri),
        ]
        # RFC 8011 §4.1.4-5: charset, language, target (printer-uri, job-id) first, then requesting-user-name.
        target = [a for a in attributes if a.name == "job-id"]
        rest = [a for a in attributes if a.name != "job-id"]
        asking = attribute("requesting-user-name", Tag.NAME, USER)
        group = Group(Tag.OPERATION, (*head, *target, asking, *rest))
        answer = self._exchange(IppMessage(operation, next(self._numbers), (group,), document))
        if answer.code >= 0x0100:
            raise PrinterRefused(operation=operation.name, status=_hex(answer.code))
        return answer

    def _exchange(self, request: IppMessage) -> IppMessage:
        """In the time-out altogether, and more by what a document moves: a slow printer takes it bit by bit."""
        try:
            answer = exchange(
                self._where,
                "POST",
                self._path,
                seconds=self._timeout,
                max_bytes=MAX_ANSWER_BYTES,
                body=ipp.encode(request),
                headers={"Content-Type": ipp.MEDIA_TYPE},
                min_rate=MIN_DOCUMENT_RATE if request.document else 0,
            )
        except NO_HTTP as error:
            raise PrinterUnreachable(printer="page") from error
        if answer.status != HTTPStatus.OK:
            raise PrinterRefused(operation="HTTP", status=str(answer.status))
        try:
            return ipp.decode(answer.body)
        except NotIpp as error:
            raise PrinterUnreachable(printer="page") from error


def condition_of(printer: Group) -> Condition:
    """What printer-state and printer-state-reasons say together. A stopped printer without a reason is a fault."""
    formats = printer.all("document-format-supported")
    if formats and PDF not in formats:
        return Condition.FAULT
    reasons = [str(r) for r in printer.all("printer-state-reasons")]
    for beginning, condition in REASONS:
        if any(r.startswith(beginning) for r in reasons):
            return condition
    if printer.first("printer-state") == _STOPPED:
        return Condition.FAULT
    return Condition.OFFLINE if printer.first("printer-is-accepting-jobs") is False else Condition.READY


def _job(job: Group, printer: Group) -> PrintJob:
    """Raises PrinterUnreachable when the answer names no job: what became of it can only be found out later."""
    job_id = _number(job, "job-id")
    if job_id < 1:
        raise PrinterUnreachable(printer="page")
    up_time = _number(printer, "printer-up-time")
    return PrintJob(job_id, str(job.first("job-uuid") or ""), str(printer.first("printer-uuid") or ""), up_time)


def _is_still(job: PrintJob, found: Group) -> bool:
    """Whether ``found`` is our job and not another of its number; by uuid, or, for printers that give none, by the
    printer's up-time, which a restart sets back.
    """
    uuid = found.first("job-uuid")
    if uuid is not None and job.job_uuid:
        return uuid == job.job_uuid
    up_time = found.first("job-printer-up-time")
    return not isinstance(up_time, int) or up_time >= job.printer_up_time


def _progress(found: Group) -> JobProgress:
    """Raises PrinterUnreachable when the answer holds no job-state we know."""
    reasons = tuple(str(r) for r in found.all("job-state-reasons"))
    try:
        state = JobState(_number(found, "job-state"))
    except ValueError as error:
        raise PrinterUnreachable(printer="page") from error
    return JobProgress(state, _number(found, "job-impressions-completed"), reasons)


def _number(group: Group, name: str) -> int:
    value = group.first(name)
    return value if isinstance(value, int) else 0


def _requested(names: tuple[str, ...]) -> list[Attribute]:
    return [attribute("requested-attributes", Tag.KEYWORD, *names)]


def _name(name: str) -> Attribute:
    return attribute("job-name", Tag.NAME, name)


def _job_id(job: PrintJob) -> Attribute:
    return attribute("job-id", Tag.INTEGER, job.job_id)


def _hex(status: int) -> str:
    return f"0x{status:04X}"
