"""The doctor's checks, in the order in which their findings are told.

Adding one: checks/NAME.py, checks/NAME.toml, a row here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from device.health.finding import Finding
from provisioning.doctor.checks import (
    audits,
    backup,
    clock,
    credentials,
    databases,
    disk,
    dns,
    documents,
    encryption,
    heat,
    issuer,
    kernel,
    kiosk,
    memory,
    page_printer,
    patches,
    power,
    reader,
    receipt_printer,
    register_operators,
    revocation,
    rtc,
    swap,
    units,
    updates,
    uplink,
    usb,
    watchdog,
    wifi,
)
from provisioning.doctor.examined_box import ExaminedBox


def everywhere(_box: ExaminedBox) -> bool:
    """On every box."""
    return True


def with_kiosk(box: ExaminedBox) -> bool:
    """On a box with a touch screen."""
    return box.has_kiosk


def with_wifi(box: ExaminedBox) -> bool:
    """On a box with Wi-Fi."""
    return box.has_wifi


def with_issuer(box: ExaminedBox) -> bool:
    """Where the issuer runs."""
    return box.site.issuer is not None


class Check(NamedTuple):
    """One check. name: of its file; run: what it finds; here: on which boxes it is made."""

    name: str
    run: Callable[[ExaminedBox], Iterable[Finding]]
    here: Callable[[ExaminedBox], bool] = everywhere


CHECKS: tuple[Check, ...] = (
    Check("kiosk", kiosk.check, with_kiosk),
    Check("reader", reader.check, with_kiosk),
    Check("receipt_printer", receipt_printer.check, with_kiosk),
    Check("page_printer", page_printer.check, with_kiosk),
    Check("issuer", issuer.check, with_kiosk),
    Check("revocation", revocation.check, with_issuer),
    Check("register_operators", register_operators.check, with_issuer),
    Check("documents", documents.check),
    Check("wifi", wifi.check, with_wifi),
    Check("kernel", kernel.check, with_wifi),
    Check("uplink", uplink.check),
    Check("dns", dns.check),
    Check("clock", clock.check),
    Check("rtc", rtc.check),
    Check("disk", disk.check),
    Check("power", power.check),
    Check("heat", heat.check),
    Check("watchdog", watchdog.check),
    Check("memory", memory.check),
    Check("swap", swap.check),
    Check("usb", usb.check, with_kiosk),
    Check("credentials", credentials.check),
    Check("encryption", encryption.check),
    Check("backup", backup.check),
    Check("databases", databases.check),
    Check("audits", audits.check),
    Check("updates", updates.check),
    Check("patches", patches.check),
    Check("units", units.check),
)
