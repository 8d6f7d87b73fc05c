"""Opens the printers that the site file names: the only place that says which driver drives them.

A driver loads when its printer is opened: what does not print pays nothing for it (cold start budget).
"""

from __future__ import annotations

from device.printer.settings import PagePrinterSettings, ReceiptPrinterSettings
from device.printer.status import PagePrinter, ReceiptPrinter


def open_receipt_printer(settings: ReceiptPrinterSettings) -> ReceiptPrinter:
    """The receipt printer on the network, ESC/POS. Nothing is connected before it is asked or prints."""
    from device.printer.receipt_printer import NetworkReceiptPrinter

    return NetworkReceiptPrinter(settings)


def open_page_printer(settings: PagePrinterSettings) -> PagePrinter:
    """The A4 printer, IPP. Nothing is connected before it is asked or prints."""
    from device.printer.page_printer import IppPagePrinter

    return IppPagePrinter(settings)
