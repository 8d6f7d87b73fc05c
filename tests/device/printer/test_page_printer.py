"""The IPP driver: what it makes of answers, lost answers and restarts."""

from __future__ import annotations

import http.server
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from device.errors import PrinterRefused, PrinterUnreachable
from device.printer import ipp
from device.printer.ipp import Attribute, Group, IppMessage, Tag, Value, attribute
from device.printer.page_printer import IppPagePrinter, condition_of
from device.printer.settings import PagePrinterSettings
from device.printer.status import Condition, JobState, PrintJob
from device.printer.virtual_faults import PrinterState, set_condition, write_state
from device.printer.virtual_page.server import VirtualPagePrinter
from tests.device.printer.pdfs import pdf


def driver(uri: str) -> IppPagePrinter:
    return IppPagePrinter(PagePrinterSettings(uri=uri, timeout_seconds=10.0))


def told(state: int, *reasons: str, formats: tuple[str, ...] = ("application/pdf",)) -> Condition:
    return condition_of(
        Group(
            Tag.PRINTER,
            (
                attribute("printer-state", Tag.ENUM, state),
                attribute("printer-state-reasons", Tag.KEYWORD, *reasons),
                attribute("document-format-supported", Tag.MIME_TYPE, *formats),
            ),
        )
    )


@pytest.mark.parametrize(
    ("state", "reason", "condition"),
    [
        (3, "none", Condition.READY),
        (4, "none", Condition.READY),
        (5, "none", Condition.FAULT),
        (4, "media-empty-warning", Condition.PAPER_OUT),
        (5, "media-needed", Condition.PAPER_OUT),
        (5, "media-jam-error", Condition.JAM),
        (3, "cover-open", Condition.COVER_OPEN),
        (5, "marker-supply-empty-error", Condition.TONER_OUT),
        (3, "media-low-report", Condition.PAPER_LOW),
        (3, "toner-low-warning", Condition.READY),
    ],
)
def test_state_and_reasons_tell_the_condition(state: int, reason: str, condition: Condition) -> None:
    assert told(state, reason) is condition


def test_the_gravest_of_several_reasons_counts() -> None:
    assert told(5, "media-low-warning", "cover-open-error", "media-jam-error") is Condition.JAM


def test_a_printer_that_takes_no_pdf_is_a_fault() -> None:
    assert told(3, "none", formats=("image/pwg-raster",)) is Condition.FAULT


@contextmanager
def answering(body: bytes, status: int = 200) -> Iterator[str]:
    """A server that gives every request the same answer."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's own name
            """Silent."""

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"ipp://127.0.0.1:{server.server_address[1]}/ipp/print"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def job_answer(*attributes: Attribute) -> bytes:
    return ipp.encode(IppMessage(0, 1, (Group(Tag.OPERATION, ()), Group(Tag.JOB, attributes))))


OURS = PrintJob(1, "", "urn:uuid:printer", 500)


@pytest.mark.parametrize("body", [b"", b"<html>", b"\x02\0\0\0\0\0\0\x01\x21\0\0\0\0\x03", job_answer()])
def test_a_senseless_answer_is_no_answer(body: bytes) -> None:
    with answering(body) as uri:
        with pytest.raises(PrinterUnreachable):
            driver(uri).progress(OURS)
        with pytest.raises(PrinterUnreachable):
            driver(uri).create("request-1")


def test_an_http_error_is_a_refusal() -> None:
    with answering(b"", 404) as uri, pytest.raises(PrinterRefused) as refused:
        driver(uri).create("request-1")
    assert refused.value.facts["status"] == "404"


@pytest.mark.parametrize(("up_time", "still"), [(501, True), (2, False)])
def test_without_a_job_uuid_the_up_time_tells_a_restart(up_time: int, still: bool) -> None:
    state: tuple[str, int, Value] = ("job-state", Tag.ENUM, 9)
    with answering(job_answer(attribute(*state), attribute("job-printer-up-time", Tag.INTEGER, up_time))) as uri:
        assert (driver(uri).progress(OURS) is not None) is still


def test_a_dead_port_is_silence() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: every connection is refused
        assert driver(f"ipp://127.0.0.1:{taken.getsockname()[1]}/ipp/print").condition() is Condition.SILENT


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_state(tmp_path, PrinterState(seconds_per_page=0.0))
    return tmp_path


def settled(printer: IppPagePrinter, job: PrintJob, impressions: int) -> None:
    for _ in range(3000):
        now = printer.progress(job)
        if now and now.impressions == impressions and now.state is not JobState.PROCESSING:
            return
        time.sleep(0.01)
    raise AssertionError(now)


def test_a_lost_answer_to_send_leaves_a_job_that_prints_once(folder: Path) -> None:
    with VirtualPagePrinter(folder) as virtual:
        printer = driver(virtual.uri)
        job = printer.create("request-1")
        write_state(folder, PrinterState(seconds_per_page=0.0, lost_answers=1))
        with pytest.raises(PrinterUnreachable):
            printer.send(job, pdf())
        found = printer.find("request-1")
        assert found is not None
        settled(printer, found, 1)
    assert len(list(folder.glob("*.png"))) == 1


def test_a_jam_in_the_middle_leaves_the_first_page_counted_though_canceled(folder: Path) -> None:
    write_state(folder, PrinterState(seconds_per_page=1.5))  # so long a hand has for the jam after the first page
    with VirtualPagePrinter(folder) as virtual:
        printer = driver(virtual.uri)
        job = printer.create("request-1")
        printer.send(job, pdf(2))
        while not list(folder.glob("*-page-0001.png")):
            time.sleep(0.01)
        set_condition(folder, Condition.JAM)
        settled(printer, job, 1)
        printer.cancel(job)
        end = printer.progress(job)
    assert end is not None
    assert (end.state, end.impressions) == (JobState.CANCELED, 1)


def test_after_a_restart_the_same_number_is_another_job(folder: Path) -> None:
    with VirtualPagePrinter(folder) as virtual:
        before = driver(virtual.uri).create("request-1")
    with VirtualPagePrinter(folder) as virtual:
        printer = driver(virtual.uri)
        after = printer.create("request-2")
        assert after.job_id == before.job_id
        assert after.printer_uuid == before.printer_uuid
        assert printer.progress(before) is None
        assert printer.find("request-1") is None
