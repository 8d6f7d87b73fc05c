"""``hiroba stats``: how the Wi-Fi is used, on the terminal and as open data."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import click
import msgspec

from captive_portal.settings import WifiSettings
from captive_portal.stats import report_text
from captive_portal.stats.catalogue import LANGUAGES, catalogue
from captive_portal.stats.codes import ALL_SPOTS, PARTS
from captive_portal.stats.database import first_collected_day, open_stats_for_reading
from captive_portal.stats.export import to_csv, to_json
from captive_portal.stats.open_data import publish, read_days, rows_without_data
from captive_portal.stats.report import Report, day_report, known_spots, week_report
from device.clock import SystemClock
from device.store import Store
from provisioning.commands.options import TODAY, Day, site_options
from provisioning.commands.wifi_site import print_table, wifi_of
from provisioning.errors import NotFound
from provisioning.site.reading import read_site

_EARLIEST = date(2000, 1, 1)


@click.group("stats")
def command() -> None:
    """Wi-Fi usage: show, export."""


@command.command("show")
@site_options
@click.option("--spot", default=ALL_SPOTS, help="One spot; without it the whole box.")
@click.option("--day", type=Day(), is_flag=False, flag_value=TODAY, help="Hours of a day; today without a value.")
@click.option("--week", type=Day(), is_flag=False, flag_value=TODAY, help="Days of the week this day is in.")
@click.option("--lang", type=click.Choice(LANGUAGES), default=LANGUAGES[0], show_default=True, help="Words.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def show(
    *, config: Path, state: Path, spot: str, day: date | None, week: date | None, lang: str, as_json: bool
) -> None:
    """Visitors, sessions, minutes, bytes, refusals and peak of a day (the usual) or a week."""
    if day and week:
        raise click.UsageError("--day と --week は同時に使えません。 / --day or --week, not both.")
    site = read_site(config)
    wifi = wifi_of(site, config, "hiroba stats")
    store = _opened(wifi, state)
    _check_spot(wifi, store, spot)
    report = week_report(store, spot, week) if week else day_report(store, spot, day or SystemClock().now().date())
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(report), indent=1).decode())
    else:
        _print(report, lang, wifi)


@command.command("export")
@site_options
@click.option(
    "--format", "kind", type=click.Choice(["csv", "json"]), default="csv", show_default=True, help="File format."
)
@click.option("--spot", default="", help="One spot only.")
@click.option("--from", "first", type=Day(), help="First day; without it the first one collected.")
@click.option("--to", "last", type=Day(), default=date(9000, 1, 1), help="Last day.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="File to write; else standard output.")
def export(
    *, config: Path, state: Path, kind: str, spot: str, first: date | None, last: date, out: Path | None
) -> None:
    """Open data of past days. No number describes fewer than five visitors. Days without data are marked, not 0."""
    site = read_site(config)
    wifi = wifi_of(site, config, "hiroba stats")
    store = _opened(wifi, state)
    _check_spot(wifi, store, spot or ALL_SPOTS)
    rows = [row for usage in read_days(store, first or _EARLIEST, last, spot) for row in publish(usage)]
    spots = [spot] if spot else [s.name for s in wifi.spots]
    rows += rows_without_data(store, spots, first, last, SystemClock().now().date())
    rows.sort(key=lambda row: (row.day, row.spot))
    since, titles = first_collected_day(store), {s.name: s.title_ja for s in wifi.spots}
    if since is None:
        click.echo(catalogue(LANGUAGES[0])("never_collected"), err=True)
    named = (site.city.name_ja, titles)
    text = to_csv(rows, *named) if kind == "csv" else to_json(rows, *named, since)
    if out is None:
        click.echo(text, nl=False)
        return
    out.write_bytes(text.encode("utf-8"))
    click.echo(f"{out}: {len(rows)} 行 / lines", err=True)


def _opened(wifi: WifiSettings, state: Path) -> Store:
    return open_stats_for_reading(state / wifi.stats.database)


def _check_spot(wifi: WifiSettings, store: Store, spot: str) -> None:
    if spot not in {ALL_SPOTS, *(s.name for s in wifi.spots), *known_spots(store)}:
        raise NotFound(what_ja="スポット", what_en="spot", name=spot)


def _print(report: Report, lang: str, wifi: WifiSettings) -> None:
    w = catalogue(lang)
    titles = {s.name: w.title(s) for s in wifi.spots}
    columns = report_text.columns(report)
    rows: list[Sequence[str]] = [[report_text.label(row, w), *report_text.cells(row, columns)] for row in report.rows]
    rows.append([w("total"), *report_text.cells(report.total, columns)])
    first = w("hour") if report.first == report.last else w("date")
    title = f"{w.spot(report.spot, titles)}  {report_text.period(report, w)}"
    print_table(title, [first, *(w(name) for name in columns)], rows, last_is_total=True)
    for note in report_text.notes(report, w):
        click.echo(note)
    parts = [(w.part(part), share) for part in PARTS for share in report_text.shares(report.parts[part], part, w)]
    if parts:
        figures = [(name, share.name, f"{share.number:,}", f"{share.percent} %") for name, share in parts]
        print_table(w("breakdown"), [w("part"), w("value"), w("sessions"), w("share")], figures, left=2)
