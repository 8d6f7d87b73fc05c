"""``hiroba doctor``: what is wrong with this box, why, and the next step."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import click

from device.clock import SystemClock
from device.health.readers import CANARY
from device.printer.drivers import open_receipt_printer
from device.printer.status import ReceiptOutcome
from provisioning.commands.options import site_options
from provisioning.doctor import report
from provisioning.doctor.examination import examine
from provisioning.site.reading import read_site


@click.command("doctor")
@site_options
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.option("--print", "printed", is_flag=True, help="Print it in Japanese on the receipt printer too.")
def command(config: Path, state: Path, as_json: bool, printed: bool) -> None:
    """Check this box. Exit code 0 when nothing needs doing at once, 1 otherwise."""
    site, clock = read_site(config), SystemClock()
    canary = state / f"{CANARY}{os.geteuid()}"
    had_canary = canary.exists()
    findings = examine(site, state, clock)
    if not had_canary:
        canary.unlink(missing_ok=True)  # the heartbeat keeps one and writes over it; a look leaves nothing behind
    click.echo(json.dumps(report.as_json(findings), indent=1) if as_json else report.as_text(findings))
    if printed:
        receipt = report.as_receipt(findings, site.box.name, clock.now())
        if open_receipt_printer(site.receipt_printer).print(receipt) is not ReceiptOutcome.PRINTED:
            click.echo("レシートには印刷できませんでした。 / The receipt could not be printed.", err=True)
    sys.exit(1 if report.trouble(findings) else 0)
