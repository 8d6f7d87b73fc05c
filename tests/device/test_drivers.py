"""Printers and reader are opened in one place, and a box without hardware learns so from their answers."""

from __future__ import annotations

import re
from contextlib import closing
from pathlib import Path

import pytest

from device.card.drivers import open_reader
from device.card.settings import CardSettings
from device.loopback import free_ports
from device.printer.drivers import open_page_printer, open_receipt_printer
from device.printer.settings import PagePrinterSettings, ReceiptPrinterSettings
from device.printer.status import Condition

ROOT = Path(__file__).parents[2]
DRIVERS = {
    "NetworkReceiptPrinter": "device/printer/drivers.py",
    "IppPagePrinter": "device/printer/drivers.py",
    "PcscReader": "device/card/drivers.py",
}


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_driver_is_constructed_in_one_place(driver: str) -> None:
    modules = [
        f for floor in ("device", "kiosk", "captive_portal", "provisioning") for f in (ROOT / floor).rglob("*.py")
    ]
    opened = {
        str(module.relative_to(ROOT))
        for module in modules
        if re.search(rf"(?<!class ){driver}\(", module.read_text("utf-8"))
    }
    assert opened == {DRIVERS[driver]}


def test_a_printer_that_is_not_there_is_silent() -> None:
    port = free_ports(1)[0]
    receipt = open_receipt_printer(ReceiptPrinterSettings(port=port, timeout_seconds=1.0))
    page = open_page_printer(PagePrinterSettings(uri=f"ipp://127.0.0.1:{port}/ipp/print", timeout_seconds=1.0))
    assert (receipt.condition(), page.condition()) == (Condition.SILENT, Condition.SILENT)


def test_a_reader_of_another_name_is_not_there() -> None:
    with closing(open_reader(CardSettings(reader="no such reader"))) as reader:
        assert reader.presence().value in ("no_reader", "no_service")
