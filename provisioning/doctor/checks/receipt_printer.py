"""The receipt printer. It talks to one at a time: while somebody is being served it is left alone."""

from __future__ import annotations

from device.health.finding import Finding, absent
from device.printer.drivers import open_receipt_printer
from provisioning.box.kiosk_screen import IDLE_SCREENS, kiosk_screen
from provisioning.doctor.examined_box import ExaminedBox
from provisioning.doctor.printer_condition import judge_printer


def check(box: ExaminedBox) -> list[Finding]:
    """Asks the printer, unless the kiosk needs it."""
    screen = kiosk_screen((box.site.kiosk.host, box.site.kiosk.port))
    if screen is not None and screen not in IDLE_SCREENS:
        return [absent("receipt_printer.in_use")]
    return [judge_printer("receipt_printer", open_receipt_printer(box.site.receipt_printer).condition().value)]
