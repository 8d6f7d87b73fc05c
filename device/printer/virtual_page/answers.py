"""IPP operations on a PrintEngine: request in, response out, no sockets."""

from __future__ import annotations

from collections.abc import Callable

from device.printer.ipp import Attribute, Group, IppMessage, Operation, Status, Tag, attribute
from device.printer.status import Condition
from device.printer.virtual_page.print_engine import Job, PrintEngine

PDF = "application/pdf"
REASONS: dict[Condition, str] = {
    Condition.PAPER_OUT: "media-empty-error",
    Condition.PAPER_LOW: "media-low-warning",
    Condition.COVER_OPEN: "cover-open-error",
    Condition.JAM: "media-jam-error",
    Condition.TONER_OUT: "toner-empty-error",
}
_IDLE, _PROCESSING, _STOPPED = 3, 4, 5


class Answers:
    """What the printer at ``uri`` says."""

    def __init__(self, engine: PrintEngine, uri: str) -> None:
        self._engine = engine
        self._uri = uri
        self._table: dict[int, Callable[[IppMessage], IppMessage]] = {
            Operation.GET_PRINTER_ATTRIBUTES: self._printer,
            Operation.VALIDATE_JOB: self._validate,
            Operation.PRINT_JOB: self._print,
            Operation.CREATE_JOB: self._create,
            Operation.SEND_DOCUMENT: self._send,
            Operation.GET_JOB_ATTRIBUTES: self._job,
            Operation.GET_JOBS: self._jobs,
            Operation.CANCEL_JOB: self._cancel,
        }

    def answer(self, request: IppMessage) -> IppMessage:
        """The response to ``request``."""
        if request.version[0] not in (1, 2):
            return _reply(request, Status.VERSION_NOT_SUPPORTED)
        if not 0 < request.request_id < 2**31:
            return _reply(request, Status.BAD_REQUEST)
        operation = request.group(Tag.OPERATION)
        if [a.name for a in operation.attributes[:2]] != ["attributes-charset", "attributes-natural-language"]:
            return _reply(request, Status.BAD_REQUEST)
        if operation.first("printer-uri") is None and operation.first("job-uri") is None:
            return _reply(request, Status.BAD_REQUEST)
        act = self._table.get(request.code)
        return act(request) if act else _reply(request, Status.OPERATION_NOT_SUPPORTED)

    def _printer(self, request: IppMessage) -> IppMessage:
        return _reply(request, Status.OK, _chosen(request, Tag.PRINTER, self._printer_attributes()))

    def _validate(self, request: IppMessage) -> IppMessage:
        return _reply(request, self._format(request))

    def _print(self, request: IppMessage) -> IppMessage:
        status = self._format(request)
        if status is not Status.OK:
            return _reply(request, status)
        job = self._engine.create(*_name_and_owner(request))
        self._engine.send(job, request.document)
        return _reply(request, Status.OK, Group(Tag.JOB, self._job_attributes(job)))

    def _create(self, request: IppMessage) -> IppMessage:
        job = self._engine.create(*_name_and_owner(request))
        return _reply(request, Status.OK, Group(Tag.JOB, self._job_attributes(job)))

    def _send(self, request: IppMessage) -> IppMessage:
        job, status = self._wanted(request), self._format(request)
        if job is None:
            return _reply(request, Status.NOT_FOUND)
        if request.group(Tag.OPERATION).first("last-document") is None:
            return _reply(request, Status.BAD_REQUEST)
        if status is Status.OK and not self._engine.send(job, request.document):
            status = Status.MULTIPLE_DOCUMENT_JOBS_NOT_SUPPORTED if job.document else Status.NOT_POSSIBLE
        if status is not Status.OK:
            return _reply(request, status)
        return _reply(request, Status.OK, Group(Tag.JOB, self._job_attributes(job)))

    def _job(self, request: IppMessage) -> IppMessage:
        job = self._wanted(request)
        if job is None:
            return _reply(request, Status.NOT_FOUND)
        return _reply(request, Status.OK, _chosen(request, Tag.JOB, self._job_attributes(job)))

    def _jobs(self, request: IppMessage) -> IppMessage:
        asked = request.group(Tag.OPERATION)
        completed = asked.first("which-jobs") == "completed"
        jobs = [j for j in self._engine.jobs.values() if j.state.final is completed]
        if asked.first("my-jobs"):
            jobs = [j for j in jobs if j.owner == asked.first("requesting-user-name")]
        default = ("job-id", "job-uri")
        groups = [_chosen(request, Tag.JOB, self._job_attributes(j), default) for j in jobs]
        return _reply(request, Status.OK, *groups)

    def _cancel(self, request: IppMessage) -> IppMessage:
        job = self._wanted(request)
        if job is None:
            return _reply(request, Status.NOT_FOUND)
        return _reply(request, Status.OK if self._engine.cancel(job) else Status.NOT_POSSIBLE)

    def _wanted(self, request: IppMessage) -> Job | None:
        operation = request.group(Tag.OPERATION)
        number = operation.first("job-id")
        if number is None:
            number = str(operation.first("job-uri") or "").rpartition("/")[2]
        return self._engine.jobs.get(int(str(number))) if str(number).isdecimal() else None

    def _format(self, request: IppMessage) -> Status:
        given = request.group(Tag.OPERATION).first("document-format")
        return Status.OK if given in (None, PDF, "application/octet-stream") else Status.DOCUMENT_FORMAT_NOT_SUPPORTED

    def _job_attributes(self, job: Job) -> tuple[Attribute, ...]:
        return (
            attribute("job-id", Tag.INTEGER, job.number),
            attribute("job-uri", Tag.URI, f"{self._uri}/{job.number}"),
            attribute("job-uuid", Tag.URI, job.uuid),
            attribute("job-name", Tag.NAME, job.name),
            attribute("job-originating-user-name", Tag.NAME, job.owner),
            attribute("job-state", Tag.ENUM, job.state.value),
            attribute("job-state-reasons", Tag.KEYWORD, job.reason),
            attribute("job-impressions-completed", Tag.INTEGER, job.impressions),
            attribute("job-printer-uri", Tag.URI, self._uri),
            attribute("job-printer-up-time", Tag.INTEGER, self._engine.up_time),
            _time("time-at-creation", job.created),
            _time("time-at-processing", job.began),
            _time("time-at-completed", job.ended),
        )

    def _printer_attributes(self) -> tuple[Attribute, ...]:
        condition, engine = self._engine.condition, self._engine
        can_print = condition.can_print
        state = _STOPPED if not can_print else _PROCESSING if engine.busy else _IDLE
        return (
            attribute("printer-uri-supported", Tag.URI, self._uri),
            attribute("uri-authentication-supported", Tag.KEYWORD, "none"),
            attribute("uri-security-supported", Tag.KEYWORD, "none"),
            attribute("printer-name", Tag.NAME, "hiroba-virtual"),
            attribute("printer-info", Tag.TEXT, "Hiroba virtual A4 printer"),
            attribute("printer-location", Tag.TEXT, ""),
            attribute("printer-more-info", Tag.URI, self._uri.replace("ipp:", "http:", 1)),
            attribute("printer-make-and-model", Tag.TEXT, "Hiroba Virtual Page Printer"),
            attribute("printer-uuid", Tag.URI, engine.uuid),
            attribute("printer-up-time", Tag.INTEGER, engine.up_time),
            attribute("printer-state", Tag.ENUM, state),
            attribute("printer-state-reasons", Tag.KEYWORD, REASONS.get(condition, "none")),
            attribute("printer-is-accepting-jobs", Tag.BOOLEAN, True),
            attribute("queued-job-count", Tag.INTEGER, sum(not j.state.final for j in engine.jobs.values())),
            attribute("operations-supported", Tag.ENUM, *sorted(self._table)),
            attribute("ipp-versions-supported", Tag.KEYWORD, "1.1", "2.0"),
            attribute("charset-configured", Tag.CHARSET, "utf-8"),
            attribute("charset-supported", Tag.CHARSET, "utf-8"),
            attribute("natural-language-configured", Tag.LANGUAGE, "en"),
            attribute("generated-natural-language-supported", Tag.LANGUAGE, "en"),
            attribute("document-format-default", Tag.MIME_TYPE, PDF),
            attribute("document-format-supported", Tag.MIME_TYPE, PDF, "application/octet-stream"),
            attribute("compression-supported", Tag.KEYWORD, "none"),
            attribute("pdl-override-supported", Tag.KEYWORD, "not-attempted"),
            attribute("multiple-document-jobs-supported", Tag.BOOLEAN, False),
            attribute("multiple-operation-time-out", Tag.INTEGER, 60),
            attribute("color-supported", Tag.BOOLEAN, True),
            attribute("media-default", Tag.KEYWORD, "iso_a4_210x297mm"),
            attribute("media-supported", Tag.KEYWORD, "iso_a4_210x297mm"),
            attribute("media-ready", Tag.KEYWORD, "iso_a4_210x297mm"),
            attribute("sides-default", Tag.KEYWORD, "one-sided"),
            attribute("sides-supported", Tag.KEYWORD, "one-sided"),
            *_A4_COLLECTION,
        )


# A collection is a run of nameless values (RFC 8010 §3.1.6); sizes in hundredths of a millimetre.
_A4_COLLECTION = (
    attribute("media-col-default", Tag.BEGIN_COLLECTION, b""),
    attribute("", Tag.MEMBER_NAME, "media-size"),
    attribute("", Tag.BEGIN_COLLECTION, b""),
    attribute("", Tag.MEMBER_NAME, "x-dimension"),
    attribute("", Tag.INTEGER, 21000),
    attribute("", Tag.MEMBER_NAME, "y-dimension"),
    attribute("", Tag.INTEGER, 29700),
    attribute("", Tag.END_COLLECTION, b""),
    attribute("", Tag.END_COLLECTION, b""),
)


def _chosen(request: IppMessage, tag: Tag, every: tuple[Attribute, ...], default: tuple[str, ...] = ()) -> Group:
    """The attributes asked for; without a wish, or for "all" and the like, the default (every one when empty)."""
    wanted = set(map(str, request.group(Tag.OPERATION).all("requested-attributes"))) or set(default)
    if not wanted or wanted & {"all", "printer-description", "job-description", "job-template"}:
        return Group(tag, every)
    return Group(tag, tuple(a for a in every if a.name in wanted))


def _time(name: str, at: int | None) -> Attribute:
    return attribute(name, Tag.NO_VALUE, b"") if at is None else attribute(name, Tag.INTEGER, at)


def _name_and_owner(request: IppMessage) -> tuple[str, str]:
    asked = request.group(Tag.OPERATION)
    return str(asked.first("job-name") or "untitled"), str(asked.first("requesting-user-name") or "anonymous")


def _reply(request: IppMessage, status: Status, *groups: Group) -> IppMessage:
    head = Group(
        Tag.OPERATION,
        (
            attribute("attributes-charset", Tag.CHARSET, "utf-8"),
            attribute("attributes-natural-language", Tag.LANGUAGE, "en"),
        ),
    )
    version = request.version if request.version in ((1, 1), (2, 0)) else (2, 0)
    return IppMessage(status, request.request_id, (head, *groups), version=version)
