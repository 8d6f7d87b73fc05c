"""Every A4 printer, in memory or over IPP: a job is never taken for another, whatever answers or power are lost."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

import pytest

from device.errors import PrinterRefused, PrinterUnreachable
from device.printer.memory_printer import MemoryPagePrinter
from device.printer.page_printer import IppPagePrinter
from device.printer.settings import PagePrinterSettings
from device.printer.status import JobState, PagePrinter, PrintJob
from device.printer.virtual_faults import PrinterState, write_state
from device.printer.virtual_page.server import VirtualPagePrinter
from tests.device.printer.pdfs import pdf


class Bench(Protocol):
    """A printer, its switch, a hand in its line, and the pages that lie in its tray."""

    printer: PagePrinter

    def restart(self) -> None: ...

    def lose_answer(self, operation: str) -> None: ...

    def pages(self) -> int: ...


class MemoryBench:
    def __init__(self) -> None:
        self._memory = MemoryPagePrinter()
        self.printer: PagePrinter = self._memory
        self.restart = self._memory.restart
        self.lose_answer = self._memory.lose_answer

    def pages(self) -> int:
        return self._memory.pages


class IppBench:
    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._folder, self._stack = folder, stack
        write_state(folder, PrinterState(seconds_per_page=0.0))
        self._virtual = stack.enter_context(VirtualPagePrinter(folder))
        self.printer: PagePrinter = IppPagePrinter(PagePrinterSettings(uri=self._virtual.uri, timeout_seconds=10.0))

    def restart(self) -> None:
        self._stack.pop_all().close()
        self._virtual = self._stack.enter_context(VirtualPagePrinter(self._folder, self._virtual.port))

    def lose_answer(self, operation: str) -> None:
        assert operation in ("create", "send", "cancel")  # the next of these; questions are not counted
        write_state(self._folder, PrinterState(seconds_per_page=0.0, lost_answers=1))

    def pages(self) -> int:
        return len(list(self._folder.glob("job-*-page-*.png")))


@pytest.fixture(params=["memory", "ipp"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    with ExitStack() as stack:
        yield MemoryBench() if request.param == "memory" else IppBench(tmp_path, stack)


def end_of(bench: Bench, job: PrintJob) -> JobState:
    for _ in range(3000):
        told = bench.printer.progress(job)
        assert told is not None
        if told.state.final:
            return told.state
        time.sleep(0.01)
    raise AssertionError(told)


def test_a_lost_answer_to_create_leaves_a_job_that_is_found_and_usable(bench: Bench) -> None:
    bench.lose_answer("create")
    with pytest.raises(PrinterUnreachable):
        bench.printer.create("request-1")
    found = bench.printer.find("request-1")
    assert found is not None
    bench.printer.send(found, pdf())
    assert end_of(bench, found) is JobState.COMPLETED
    assert bench.pages() == 1


def test_a_lost_answer_to_send_leaves_a_job_that_prints_once(bench: Bench) -> None:
    job = bench.printer.create("request-1")
    bench.lose_answer("send")
    with pytest.raises(PrinterUnreachable):
        bench.printer.send(job, pdf())
    assert end_of(bench, job) is JobState.COMPLETED
    with pytest.raises(PrinterRefused):
        bench.printer.send(job, pdf())
    assert bench.pages() == 1


def test_a_lost_answer_to_cancel_leaves_the_job_canceled(bench: Bench) -> None:
    job = bench.printer.create("request-1")
    bench.lose_answer("cancel")
    with pytest.raises(PrinterUnreachable):
        bench.printer.cancel(job)
    assert end_of(bench, job) is JobState.CANCELED


def test_after_a_restart_the_job_is_gone_though_its_number_lives(bench: Bench) -> None:
    job = bench.printer.create("request-1")
    bench.restart()
    stranger = bench.printer.create("request-2")
    assert (stranger.job_id, stranger.printer_uuid) == (job.job_id, job.printer_uuid)
    assert bench.printer.progress(job) is None
    assert bench.printer.find("request-1") is None


def test_a_document_never_goes_into_the_job_that_took_its_number(bench: Bench) -> None:
    job = bench.printer.create("request-1")
    bench.restart()
    stranger = bench.printer.create("request-2")
    with pytest.raises(PrinterRefused):
        bench.printer.send(job, pdf())
    bench.printer.send(stranger, pdf(2))
    assert end_of(bench, stranger) is JobState.COMPLETED
    assert bench.pages() == 2


def test_a_job_that_took_an_old_number_is_not_canceled_in_its_place(bench: Bench) -> None:
    job = bench.printer.create("request-1")
    bench.restart()
    stranger = bench.printer.create("request-2")
    bench.printer.cancel(job)
    bench.printer.send(stranger, pdf())
    assert end_of(bench, stranger) is JobState.COMPLETED
