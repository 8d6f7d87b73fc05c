"""A virtual receipt printer, and the driver that talks to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from device.printer.raster import ReceiptRenderer
from device.printer.receipt_printer import NetworkReceiptPrinter
from device.printer.settings import ReceiptPrinterSettings
from device.printer.status import Condition
from device.printer.virtual_faults import set_condition
from device.printer.virtual_receipt.server import VirtualReceiptPrinter


class ReceiptBench:
    """The printer's folder, the driver, and a hand on the state; ``midway`` is what happens after some rows."""

    def __init__(self, folder: Path, renderer: ReceiptRenderer, timeout: float = 10.0) -> None:
        self.folder = folder
        self.midway: Callable[[], object] = lambda: None
        self.virtual = VirtualReceiptPrinter(folder, dots_per_second=100_000, on_rows=lambda _: self.midway())
        settings = ReceiptPrinterSettings(port=self.virtual.port, timeout_seconds=timeout)
        self.driver = NetworkReceiptPrinter(settings, renderer)

    def set(self, condition: Condition) -> None:
        set_condition(self.folder, condition)

    def strips(self) -> list[Path]:
        return sorted(self.folder.glob("receipt-*.png"))


@pytest.fixture(scope="session")
def renderer() -> ReceiptRenderer:
    return ReceiptRenderer()


@pytest.fixture
def make_bench(tmp_path: Path, renderer: ReceiptRenderer) -> Iterator[Callable[..., ReceiptBench]]:
    with ExitStack() as stack:

        def make(timeout: float = 10.0) -> ReceiptBench:
            bench = ReceiptBench(tmp_path, renderer, timeout)
            stack.enter_context(bench.virtual)
            return bench

        yield make


@pytest.fixture
def bench(make_bench: Callable[..., ReceiptBench]) -> ReceiptBench:
    return make_bench()
