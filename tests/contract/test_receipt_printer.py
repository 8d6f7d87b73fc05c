"""Every receipt printer keeps the same promises: the one in memory, and the driver on the virtual one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from device.printer.memory_printer import MemoryReceiptPrinter
from device.printer.receipt_printer import NetworkReceiptPrinter
from device.printer.settings import ReceiptPrinterSettings
from device.printer.status import Condition, Receipt, ReceiptLine, ReceiptOutcome, ReceiptPrinter
from device.printer.virtual_faults import set_condition
from device.printer.virtual_receipt.server import VirtualReceiptPrinter

pytestmark = pytest.mark.needs("bizud")
RECEIPT: Receipt = (ReceiptLine("領収書", right="300円"),)


class Bench(NamedTuple):
    """A printer, a hand on its condition, and the count of receipts that came out."""

    printer: ReceiptPrinter
    set: Callable[[Condition], object]
    printed: Callable[[], int]


@pytest.fixture(params=["memory", "network"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    if request.param == "memory":
        memory = MemoryReceiptPrinter()
        yield Bench(memory, memory.set, lambda: len(memory.receipts))
        return
    with VirtualReceiptPrinter(tmp_path, dots_per_second=100_000) as virtual:
        driver = NetworkReceiptPrinter(ReceiptPrinterSettings(port=virtual.port, timeout_seconds=1.0))
        yield Bench(driver, lambda c: set_condition(tmp_path, c), lambda: len(list(tmp_path.glob("receipt-*.png"))))


def test_a_ready_printer_prints_one_receipt(bench: Bench) -> None:
    assert bench.printer.condition() is Condition.READY
    assert bench.printer.print(RECEIPT) is ReceiptOutcome.PRINTED
    assert bench.printed() == 1


@pytest.mark.parametrize("fault", [c for c in Condition if not c.can_print and c is not Condition.TONER_OUT])
def test_a_fault_is_told_and_nothing_prints_not_even_later(bench: Bench, fault: Condition) -> None:
    bench.set(fault)
    assert bench.printer.condition() is fault
    assert bench.printer.print(RECEIPT) is ReceiptOutcome.NOT_PRINTED
    bench.set(Condition.READY)
    assert bench.printer.condition() is Condition.READY
    assert bench.printed() == 0


def test_after_a_fault_the_next_receipt_prints_alone(bench: Bench) -> None:
    bench.set(Condition.PAPER_OUT)
    bench.printer.print(RECEIPT)
    bench.set(Condition.READY)
    assert bench.printer.print(RECEIPT) is ReceiptOutcome.PRINTED
    assert bench.printed() == 1
