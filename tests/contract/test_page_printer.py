"""Every A4 printer keeps the same promises: the one in memory, and the IPP driver on the virtual one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from device.errors import PrinterRefused, PrinterUnreachable
from device.printer.memory_printer import MemoryPagePrinter
from device.printer.page_printer import IppPagePrinter
from device.printer.settings import PagePrinterSettings
from device.printer.status import Condition, JobProgress, JobState, PagePrinter, PrintJob
from device.printer.virtual_faults import PrinterState, write_state
from device.printer.virtual_page.server import VirtualPagePrinter
from tests.device.printer.pdfs import pdf

FAULTS = [Condition.PAPER_OUT, Condition.COVER_OPEN, Condition.JAM, Condition.TONER_OUT]


class Bench(NamedTuple):
    """A printer, a hand on its condition, and the pages that lie in its tray."""

    printer: PagePrinter
    set: Callable[[Condition], object]
    pages: Callable[[], int]
    lose_answer: Callable[[str], object]


@pytest.fixture(params=["memory", "ipp"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    if request.param == "memory":
        memory = MemoryPagePrinter()
        yield Bench(memory, memory.set, lambda: memory.pages, memory.lose_answer)
        return

    def set_to(condition: Condition) -> None:
        write_state(tmp_path, PrinterState(condition=condition, seconds_per_page=0.0))

    def lose_answer(_: str) -> None:
        write_state(tmp_path, PrinterState(seconds_per_page=0.0, lost_answers=1))

    set_to(Condition.READY)
    with VirtualPagePrinter(tmp_path) as virtual:
        driver = IppPagePrinter(PagePrinterSettings(uri=virtual.uri, timeout_seconds=10.0))
        yield Bench(driver, set_to, lambda: len(list(tmp_path.glob("job-*-page-*.png"))), lose_answer)


def awaited(bench: Bench, job: PrintJob) -> JobProgress:
    """The job's end; a printer that never ends it fails here."""
    for _ in range(3000):
        told = bench.printer.progress(job)
        assert told is not None
        if told.state.final:
            return told
        time.sleep(0.01)
    raise AssertionError(told)


def test_a_ready_printer_says_so(bench: Bench) -> None:
    assert bench.printer.condition() is Condition.READY


@pytest.mark.parametrize("pages", [1, 3])
def test_a_sent_job_completes_with_as_many_impressions_as_pages(bench: Bench, pages: int) -> None:
    job = bench.printer.create("request-1")
    bench.printer.send(job, pdf(pages))
    end = awaited(bench, job)
    assert (end.state, end.impressions) == (JobState.COMPLETED, pages)
    assert bench.pages() == pages


def test_a_created_job_prints_nothing_and_is_found_by_its_name(bench: Bench) -> None:
    job = bench.printer.create("request-1")
    found = bench.printer.find("request-1")
    assert found is not None
    assert (found.job_id, found.job_uuid, found.printer_uuid) == (job.job_id, job.job_uuid, job.printer_uuid)
    assert bench.printer.find("request-2") is None
    assert bench.printer.progress(job) == JobProgress(JobState.HELD, 0, ("job-data-insufficient",))
    assert bench.pages() == 0


def test_a_finished_job_is_still_found(bench: Bench) -> None:
    job = bench.printer.create("request-1")
    bench.printer.send(job, pdf())
    awaited(bench, job)
    found = bench.printer.find("request-1")
    assert found is not None
    assert found.job_uuid == job.job_uuid


def test_a_second_document_for_the_same_job_is_refused(bench: Bench) -> None:
    job = bench.printer.create("request-1")
    bench.printer.send(job, pdf())
    with pytest.raises(PrinterRefused):
        bench.printer.send(job, pdf())
    assert awaited(bench, job).impressions == 1
    assert bench.pages() == 1


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_holds_the_job_until_it_is_mended(bench: Bench, fault: Condition) -> None:
    job = bench.printer.create("request-1")
    bench.set(fault)
    assert bench.printer.condition() is fault
    bench.printer.send(job, pdf())
    held = bench.printer.progress(job)
    assert held is not None
    assert (held.state.final, held.impressions, bench.pages()) == (False, 0, 0)
    bench.set(Condition.READY)
    assert awaited(bench, job).state is JobState.COMPLETED
    assert bench.pages() == 1


def test_a_canceled_job_prints_nothing_more(bench: Bench) -> None:
    job = bench.printer.create("request-1")
    bench.set(Condition.PAPER_OUT)
    bench.printer.send(job, pdf())
    bench.printer.cancel(job)
    bench.set(Condition.READY)
    assert awaited(bench, job).state is JobState.CANCELED
    assert bench.pages() == 0
    bench.printer.cancel(job)  # already final: left alone


def test_what_is_no_pdf_is_aborted(bench: Bench) -> None:
    job = bench.printer.create("request-1")
    bench.printer.send(job, b"no document")
    assert awaited(bench, job).state is JobState.ABORTED
    assert bench.pages() == 0


def test_a_job_whose_creation_was_not_answered_is_found_and_used(bench: Bench) -> None:
    bench.lose_answer("create")
    with pytest.raises(PrinterUnreachable):
        bench.printer.create("request-1")
    job = bench.printer.find("request-1")
    assert job is not None
    bench.printer.send(job, pdf())
    assert awaited(bench, job).state is JobState.COMPLETED


def test_a_document_whose_arrival_was_not_answered_prints_once(bench: Bench) -> None:
    job = bench.printer.create("request-1")
    bench.lose_answer("send")
    with pytest.raises(PrinterUnreachable):
        bench.printer.send(job, pdf())
    assert awaited(bench, job).impressions == 1
    assert bench.pages() == 1


def test_a_job_of_another_uuid_is_not_ours(bench: Bench) -> None:
    job = bench.printer.create("request-1")
    assert bench.printer.progress(PrintJob(job.job_id, "urn:uuid:other", job.printer_uuid, 1)) is None
    assert bench.printer.progress(PrintJob(job.job_id + 7, job.job_uuid, job.printer_uuid, 1)) is None


@pytest.mark.parametrize("fault", [Condition.SILENT, Condition.OFFLINE])
def test_a_printer_that_does_not_answer_is_unreachable(bench: Bench, fault: Condition) -> None:
    job = bench.printer.create("request-1")
    bench.set(fault)
    assert not bench.printer.condition().can_print
    for act in (
        lambda: bench.printer.create("request-2"),
        lambda: bench.printer.send(job, pdf()),
        lambda: bench.printer.progress(job),
        lambda: bench.printer.find("request-1"),
        lambda: bench.printer.cancel(job),
    ):
        with pytest.raises(PrinterUnreachable):
            act()
