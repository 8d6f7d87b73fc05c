"""The network receipt printer against the virtual one, in every fault."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable

import pytest

from device.fonts import GlyphMissing
from device.printer import escpos
from device.printer.picture import bits_of_png
from device.printer.raster import ReceiptRenderer
from device.printer.receipt_printer import NetworkReceiptPrinter
from device.printer.settings import ReceiptPrinterSettings
from device.printer.status import Condition, ReceiptLine, ReceiptOutcome
from tests.device.printer.conftest import ReceiptBench
from tests.device.printer.samples import SAMPLE, SHORT

pytestmark = pytest.mark.needs("bizud")
FAULTS = [Condition.PAPER_OUT, Condition.COVER_OPEN, Condition.OFFLINE]


def ink(bench: ReceiptBench, strip: int) -> bytes:
    return bits_of_png(bench.strips()[strip])[0]


def wanted(renderer: ReceiptRenderer) -> bytes:
    return escpos.without_real_time(renderer.render(SAMPLE).bits)


def test_what_is_printed_is_what_was_drawn_dot_for_dot(bench: ReceiptBench, renderer: ReceiptRenderer) -> None:
    assert bench.driver.print(SAMPLE) is ReceiptOutcome.PRINTED
    assert ink(bench, 0) == wanted(renderer)


def test_two_receipts_are_two_strips(bench: ReceiptBench) -> None:
    assert [bench.driver.print(SHORT) for _ in range(2)] == [ReceiptOutcome.PRINTED] * 2
    assert len(bench.strips()) == 2


def test_low_paper_still_prints(bench: ReceiptBench) -> None:
    bench.set(Condition.PAPER_LOW)
    assert bench.driver.condition() is Condition.PAPER_LOW
    assert bench.driver.print(SHORT) is ReceiptOutcome.PRINTED


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_before_is_seen_and_nothing_is_sent(bench: ReceiptBench, fault: Condition) -> None:
    bench.set(fault)
    assert bench.driver.condition() is fault
    assert bench.driver.print(SAMPLE) is ReceiptOutcome.NOT_PRINTED
    bench.set(Condition.READY)
    assert bench.driver.print(SHORT) is ReceiptOutcome.PRINTED
    assert len(bench.strips()) == 1


@pytest.mark.parametrize("fault", FAULTS)
def test_after_a_fault_midway_the_next_visitor_gets_only_their_own(
    bench: ReceiptBench, renderer: ReceiptRenderer, fault: Condition
) -> None:
    bench.midway = lambda: bench.set(fault)
    assert bench.driver.print(SHORT + SAMPLE) is ReceiptOutcome.NOT_PRINTED
    bench.midway = lambda: None
    bench.set(Condition.READY)
    assert bench.driver.condition() is Condition.READY
    assert bench.driver.print(SAMPLE) is ReceiptOutcome.PRINTED
    torn, whole = range(2)
    assert ink(bench, whole) == wanted(renderer)
    assert len(ink(bench, torn)) < len(wanted(renderer))


def test_paper_that_ends_after_the_cut_does_not_unprint(bench: ReceiptBench) -> None:
    assert bench.driver.print(SHORT) is ReceiptOutcome.PRINTED
    bench.set(Condition.PAPER_OUT)
    assert bench.driver.condition() is Condition.PAPER_OUT
    assert len(bench.strips()) == 1


def test_a_silent_printer_is_silent_and_gets_no_receipt(make_bench: Callable[..., ReceiptBench]) -> None:
    bench = make_bench(1.0)
    bench.set(Condition.SILENT)
    assert bench.driver.condition() is Condition.SILENT
    assert bench.driver.print(SHORT) is ReceiptOutcome.NOT_PRINTED
    bench.set(Condition.READY)
    assert bench.driver.print(SHORT) is ReceiptOutcome.PRINTED
    assert len(bench.strips()) == 1


def test_a_printer_that_goes_silent_midway_leaves_it_unknown(make_bench: Callable[..., ReceiptBench]) -> None:
    bench = make_bench(1.0)
    bench.midway = lambda: bench.set(Condition.SILENT)
    assert bench.driver.print(SAMPLE) is ReceiptOutcome.UNKNOWN


def test_a_dead_port_is_silence_not_an_exception(renderer: ReceiptRenderer) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: every connection is refused
        driver = NetworkReceiptPrinter(ReceiptPrinterSettings(port=taken.getsockname()[1]), renderer)
        assert driver.condition() is Condition.SILENT
        assert driver.print(SHORT) is ReceiptOutcome.NOT_PRINTED


def test_half_a_picture_left_by_a_killed_process_does_not_swallow_the_receipt(
    bench: ReceiptBench, renderer: ReceiptRenderer
) -> None:
    raster = renderer.render(SAMPLE)
    stream = escpos.page(raster.bits, raster.width, raster.height)
    with socket.create_connection(("127.0.0.1", bench.virtual.port)) as killed:
        killed.sendall(stream[: len(stream) // 2])
        killed.sendall(escpos.ask_now(1))
        assert killed.recv(1) == b"\x12"  # the printer has taken it all
    assert bench.driver.print(SAMPLE) is ReceiptOutcome.PRINTED
    assert ink(bench, -1) == wanted(renderer)


def test_a_character_the_font_lacks_is_refused_before_anything_is_sent(bench: ReceiptBench) -> None:
    with pytest.raises(GlyphMissing):
        bench.driver.print((ReceiptLine("𠮷"),))
    assert bench.strips() == []


def test_nothing_of_a_receipt_is_logged(bench: ReceiptBench, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        bench.driver.print((ReceiptLine("R8-000123"),))
    assert "R8-000123" not in caplog.text
