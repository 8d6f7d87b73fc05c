"""``hiroba wipe``: makes the state of a box unreadable before it leaves the city's hands."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from pathlib import Path

import click

from device.clock import SystemClock
from device.health.readers import block_device
from device.printer.drivers import open_receipt_printer
from device.printer.settings import ReceiptPrinterSettings
from device.printer.status import Receipt, ReceiptOutcome
from provisioning.backup.errors import CannotWrite, FileExists
from provisioning.backup.medium import trim
from provisioning.backup.record import Disposal, as_receipt, as_text
from provisioning.backup.wipe import OWN_FOLDER, check_folder, check_unused, settings_of, wipe
from provisioning.commands.options import site_options
from provisioning.site.reading import read_site


@click.command("wipe")
@site_options
@click.option("--yes", is_flag=True, help="Really do it. There is no way back.")
@click.option("--record", type=click.Path(path_type=Path, dir_okay=False), help="Write the draft certificate here.")
@click.option("--print", "printed", is_flag=True, help="Print the record on the receipt printer too.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def command(config: Path, state: Path, yes: bool, record: Path | None, printed: bool, as_json: bool) -> None:
    """Destroy keys, records and settings of this box, and make the draft certificate of erasure."""
    check_folder(state)
    site = read_site(config)
    if not yes:
        raise click.UsageError(
            f"{state} のすべてを消します。元に戻せません。よければ --yes を付けてください。\n"
            "This destroys all of it for good; add --yes if that is what you want."
        )
    _check_record(record, [state, *([config.parent] if config.parent.name == OWN_FOLDER else [])])
    check_unused(state)
    medium = block_device(state)
    wiped = wipe(state, settings_of(config))
    disposal = Disposal(
        number=secrets.token_hex(6).upper(),
        box=site.box.name,
        city=site.city.name_ja,
        at=SystemClock().now(),
        wiped=wiped,
        medium=medium.name if medium else "-",
        trimmed=trim(state),
        place=site.box.place_ja,
        asset=site.box.asset,
    )
    if record is not None:
        record.write_text(as_text(disposal), "utf-8")
    outcome = _print(site.receipt_printer, as_receipt(disposal)) if printed else None
    _tell(disposal, outcome, as_json)


def _check_record(record: Path | None, wiped: Sequence[Path]) -> None:
    """Before anything is destroyed: the record must have a place that outlives it."""
    if record is None:
        return
    if record.exists():
        raise FileExists(file=record)
    inside = any(record.resolve().is_relative_to(folder.resolve()) for folder in wiped)
    if inside or not record.parent.is_dir():
        raise CannotWrite(file=record, reason="no folder for it outside what is wiped")


def _print(settings: ReceiptPrinterSettings, receipt: Receipt) -> ReceiptOutcome:
    return open_receipt_printer(settings).print(receipt)


def _tell(disposal: Disposal, outcome: ReceiptOutcome | None, as_json: bool) -> None:
    if as_json:
        wiped = disposal.wiped
        facts = {"keys": wiped.keys, "files": wiped.files, "bytes": wiped.bytes, "trimmed": disposal.trimmed}
        named = {"number": disposal.number, "box": disposal.box, "at": disposal.at.isoformat(timespec="seconds")}
        click.echo(json.dumps({**named, **facts, "printed": outcome.value if outcome else ""}))
        return
    click.echo(as_text(disposal))
    if outcome is not None and outcome is not ReceiptOutcome.PRINTED:
        click.echo("レシートには印刷できませんでした。上の文を保存してください。 / Not printed: keep the text above.")
