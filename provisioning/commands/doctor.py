"""``hiroba doctor``: what is wrong with this box, why, and the next step."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from device.clock import SystemClock
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
    findings = examine(site, state, clock)
    click.echo(json.dumps(report.as_json(findings), indent=1) if as_json else report.as_text(findings))
    if printed:
        from device.printer.receipt_printer import NetworkReceiptPrinter

        receipt = report.as_receipt(findings, site.box.name, clock.now())
        if NetworkReceiptPrinter(site.receipt_printer).print(receipt) is not ReceiptOutcome.PRINTED:
            click.echo("レシートには印刷できませんでした。 / The receipt could not be printed.", err=True)
    sys.exit(1 if report.trouble(findings) else 0)
