"""The A4 printer, asked by IPP."""

from __future__ import annotations

from device.health.finding import Finding
from provisioning.doctor.examined_box import ExaminedBox
from provisioning.doctor.printer_condition import judge_printer


def check(box: ExaminedBox) -> list[Finding]:
    """Asks the printer by IPP."""
    from device.printer.page_printer import IppPagePrinter

    return [judge_printer("page_printer", IppPagePrinter(box.site.page_printer).condition().value)]
