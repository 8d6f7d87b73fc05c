"""``hiroba voucher``: make a batch of Wi-Fi vouchers, as a file or on the receipt printer; list and call back batches.

Codes are shown once and only their hashes are kept.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

from captive_portal.portal.languages import LANGUAGES, read_catalogues
from captive_portal.portal.login.voucher import LENGTH, Batch, call_back, list_batches, make_batch, show_code
from captive_portal.portal.login.voucher_sheet import pages, receipts
from captive_portal.portal.records import PORTAL_MIGRATIONS
from captive_portal.settings import SpotSettings, WifiSettings
from captive_portal.wiring_portal import open_vouchers
from device.audit import AUDIT_MIGRATIONS, Audit
from device.catalogue import name_in
from device.clock import Clock, SystemClock
from device.files import atomic_write
from device.fonts import GlyphMissing
from device.printer.drivers import open_receipt_printer
from device.printer.settings import ReceiptPrinterSettings
from device.printer.status import Receipt, ReceiptOutcome, ReceiptPrinter
from device.store import Store
from provisioning.backup.errors import FileExists
from provisioning.commands.options import site_options
from provisioning.commands.reading import store_for_reading
from provisioning.commands.wifi_site import print_table, wifi_of
from provisioning.errors import NotFound, VoucherNotTaken
from provisioning.site.reading import read_site

VOUCHERS = Path("portal/portal.db")
"""Below the state folder."""


@click.group("voucher")
def command() -> None:
    """Wi-Fi vouchers: make, list, call back."""


@command.command()
@site_options
@click.option("--count", type=click.IntRange(1, 5000), required=True, help="How many.")
@click.option("--minutes", type=click.IntRange(0, 44640), default=0, show_default=True, help="Each; 0: the spot's.")
@click.option("--days", type=click.IntRange(1, 3660), default=90, show_default=True, help="Days they stay valid.")
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="FILE.html: A4 sheets; FILE.txt: one a line."
)
@click.option("--receipt", is_flag=True, help="Print one slip each on the receipt printer.")
@click.option("--lang", type=click.Choice(LANGUAGES), default=LANGUAGES[0], show_default=True, help="Words on paper.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def make(
    *,
    config: Path,
    state: Path,
    count: int,
    minutes: int,
    days: int,
    out: Path | None,
    receipt: bool,
    lang: str,
    as_json: bool,
) -> None:
    """Make vouchers. Without --out and --receipt the codes go to standard output."""
    if out and out.suffix not in (".html", ".txt"):
        raise click.BadParameter(
            f"{out} は .html か .txt にしてください。 / must be .html or .txt.", param_hint="--out"
        )
    if out and out.exists():
        raise FileExists(file=out)  # codes stand nowhere else than on their sheet
    site = read_site(config)
    wifi = wifi_of(site, config, "hiroba voucher")
    if not any("voucher" in spot.login for spot in wifi.spots):
        raise VoucherNotTaken(file=config)
    words, title, ssid = read_catalogues()[lang], title_of(wifi, lang), ssid_of(wifi)
    with _paper_refused():  # before there are codes: a name that no font can write would lose them
        specimen = Batch("", minutes, SystemClock().now(), ("0" * LENGTH,))
        if receipt:
            _draw(site.receipt_printer, receipts(specimen, words, title, ssid))
        if out and out.suffix == ".html":
            pages(specimen, words, title, ssid)
    batch = _make(state, SystemClock(), count, minutes, days)
    if out:
        try:
            _write(out, pages(batch, words, title, ssid) if out.suffix == ".html" else _listed(batch.codes))
        except OSError:
            _tell(batch, batch.codes, as_json)
            raise
    left = batch.codes
    if receipt:
        slips = receipts(batch, words, title, ssid)
        left = batch.codes[print_slips(open_receipt_printer(site.receipt_printer), slips) :]
    _tell(batch, () if out else left, as_json)
    if receipt and left:
        click.echo(f"{len(left)} 枚を印刷できませんでした。 / {len(left)} slips could not be printed.", err=True)
        raise click.exceptions.Exit(1)


@command.command("list")
@site_options
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def list_(*, config: Path, state: Path, as_json: bool) -> None:
    """Every batch: how many, how many used, until when."""
    wifi_of(read_site(config), config, "hiroba voucher")
    store = store_for_reading(state / VOUCHERS, PORTAL_MIGRATIONS)
    found = list_batches(store) if store else []
    if as_json:
        facts = [{**b._asdict(), "valid_until": b.valid_until.isoformat()} for b in found]
        click.echo(json.dumps(facts, ensure_ascii=False))
        return
    rows = [(b.batch, f"{b.made:,}", f"{b.used:,}", str(b.minutes or "-"), f"{b.valid_until:%Y-%m-%d}") for b in found]
    heads = ["束 / batch", "枚数 / count", "使用済み / used", "分 / minutes", "期限 / until"]
    print_table("Wi-Fi利用券 / Wi-Fi vouchers", heads, rows)


@command.command("call-back")
@site_options
@click.argument("batch")
def call_back_(*, config: Path, state: Path, batch: str) -> None:
    """Make the unused vouchers of a batch worthless, when a sheet was lost."""
    wifi_of(read_site(config), config, "hiroba voucher")
    store, _ = open_vouchers(state)
    if batch not in {b.batch for b in list_batches(store)}:
        raise NotFound(what_ja="利用券の束", what_en="batch of vouchers", name=batch)
    count = call_back(store, _audit(state, SystemClock()), batch)
    click.echo(f"{batch}: {count} 枚を無効にしました。 / {count} vouchers called back.")


def title_of(wifi: WifiSettings, lang: str) -> str:
    """The name on the paper: the first spot's that takes vouchers."""
    spot = _spot(wifi)
    return name_in(lang, spot.title_ja, spot.title_en)


def ssid_of(wifi: WifiSettings) -> str:
    """The radio's name on the paper; "" when the site file names none."""
    return " / ".join(dict.fromkeys(s.ssid for s in _spot(wifi).ssids))


def _spot(wifi: WifiSettings) -> SpotSettings:
    return next((s for s in wifi.spots if "voucher" in s.login), wifi.spots[0])


def print_slips(printer: ReceiptPrinter, slips: Sequence[Receipt]) -> int:
    """Print until one fails; slips the printer confirmed. One of unknown fate counts as not printed: its code is told
    to staff again, and a voucher is good for one phone only.
    """
    for number, slip in enumerate(slips):
        if printer.print(slip) is not ReceiptOutcome.PRINTED:
            return number
    return len(slips)


def _make(state: Path, clock: Clock, count: int, minutes: int, days: int) -> Batch:
    store, key = open_vouchers(state)
    return make_batch(store, key, clock, _audit(state, clock), count=count, minutes=minutes, valid_days=days)


def _audit(state: Path, clock: Clock) -> Audit:
    return Audit(Store(state / "portal" / "audit.db", AUDIT_MIGRATIONS), clock)


def _draw(settings: ReceiptPrinterSettings, slips: Sequence[Receipt]) -> None:
    from device.printer.raster import ReceiptRenderer

    renderer = ReceiptRenderer(settings.width_dots)
    for slip in slips:
        renderer.render(slip)


@contextmanager
def _paper_refused() -> Iterator[None]:
    try:
        yield
    except GlyphMissing as error:
        letter = error.facts["character"]
        raise click.BadParameter(
            f"スポットか電波の名前の {letter} はどの書体にもありません。--out FILE.txt を使ってください。"
            f" / no font has {letter}, which is in the name of the spot or the radio: use --out FILE.txt."
        ) from error


def _listed(codes: Sequence[str]) -> str:
    return "".join(f"{show_code(code)}\n" for code in codes)


def _write(path: Path, text: str) -> None:
    """Readable by its owner alone: whoever reads it can use the vouchers."""
    atomic_write(path, text.encode("utf-8"), mode=0o600)


def _tell(batch: Batch, codes: Sequence[str], as_json: bool) -> None:
    """The batch, and the codes that stand nowhere else."""
    if as_json:
        facts = {"batch": batch.batch, "count": len(batch.codes), "minutes": batch.minutes}
        shown = {"valid_until": batch.valid_until.isoformat(), "codes": [show_code(code) for code in codes]}
        click.echo(json.dumps({**facts, **shown}, ensure_ascii=False))
        return
    click.echo(_listed(codes), nl=False)
    until = batch.valid_until.date().isoformat()
    click.echo(f"{batch.batch}: {len(batch.codes)} 枚、{until} まで有効 / vouchers, valid until {until}", err=True)
