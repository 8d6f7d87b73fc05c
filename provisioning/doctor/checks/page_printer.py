"""The A4 printer, asked by IPP."""

from __future__ import annotations

from device.health.finding import Finding
from device.printer.drivers import open_page_printer
from provisioning.doctor.examined_box import ExaminedBox
from provisioning.doctor.printer_condition import judge_printer


def check(box: ExaminedBox) -> list[Finding]:
    """Asks the printer by IPP."""
    return [judge_printer("page_printer", open_page_printer(box.site.page_printer).condition().value)]
