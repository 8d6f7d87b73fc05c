"""``hiroba journal``: requests on this kiosk, and what only paper can tell."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from device.audit import Audit
from device.clock import SystemClock
from device.store import Store
from kiosk.schema import KIOSK_MIGRATIONS
from kiosk.services.certificates.issuance.journal import Journal, RequestRow, UnknownRequest
from kiosk.services.certificates.issuance.open_matters import Decision, OpenMatters
from provisioning.commands.options import state_option
from provisioning.commands.reading import store_for_reading
from provisioning.errors import NotFound

FILE = Path("kiosk/kiosk.db")
"""Below the state folder."""


def _open(store: Store) -> tuple[Journal, OpenMatters]:
    clock = SystemClock()
    audit = Audit(store, clock)
    journal = Journal(store, audit, clock)
    return journal, OpenMatters(store, journal, audit)


@click.group("journal")
def command() -> None:
    """Requests on this kiosk."""


@command.command("list")
@state_option
@click.option("--open", "only_open", is_flag=True, help="Only what staff have to look at.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def list_(state: Path, only_open: bool, as_json: bool) -> None:
    """List requests, newest first."""
    store = store_for_reading(state / FILE, KIOSK_MIGRATIONS)
    rows = _rows(store, only_open) if store else []
    if as_json:
        click.echo(json.dumps([_plain(row) for row in rows]))
        return
    table = Table()
    for heading in ("受付", "証明書", "部数", "状態", "発行番号", "支払", "返金待ち", "最終"):
        table.add_column(heading, overflow="fold")  # goes on in the next line; nothing is cut off
    for row in rows:
        paid = f"{row.payment.yen}円" if row.payment else "-"
        due = "はい" if row.refund_due else ""
        table.add_row(
            row.request, row.kind, str(row.copies), row.state.value, row.issue_number, paid, due, row.moved_at
        )
    Console(width=None if sys.stdout.isatty() else 200).print(table)


def _rows(store: Store, only_open: bool) -> list[RequestRow]:
    journal, matters = _open(store)
    return matters.waiting()[::-1] if only_open else journal.all_rows()[::-1]


@command.command()
@state_option
@click.argument("request")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def show(state: Path, request: str, as_json: bool) -> None:
    """Show every move of REQUEST."""
    store = store_for_reading(state / FILE, KIOSK_MIGRATIONS)
    if store is None:
        raise _unknown(request)
    journal, _ = _open(store)
    row = _row(journal, request)
    moves = [{"state": move.state.value, "reason": move.reason, "at": move.at} for move in journal.moves(request)]
    if as_json:
        click.echo(json.dumps({**_plain(row), "moves": moves}))
        return
    for name, value in _plain(row).items():
        click.echo(f"{name:14} {value}")
    for move in moves:
        click.echo(f"  {move['at']}  {move['state']:10}  {move['reason']}")


@command.command("resolve")
@state_option
@click.argument("request")
@click.argument("decision", type=click.Choice([d.value for d in Decision]))
def resolve_(state: Path, request: str, decision: str) -> None:
    """Say what became of REQUEST, after a look at the tray: delivered, or refund."""
    journal, matters = _open(Store(state / FILE, KIOSK_MIGRATIONS))
    _row(journal, request)
    matters.resolve(request, Decision(decision))
    click.echo("記録しました。 / recorded.")


def _row(journal: Journal, request: str) -> RequestRow:
    try:
        return journal.row(request)
    except UnknownRequest as error:
        raise _unknown(request) from error


def _unknown(request: str) -> NotFound:
    return NotFound(what_ja="受付", what_en="request", name=request)


def _plain(row: RequestRow) -> dict[str, object]:
    return {
        "request": row.request,
        "kind": row.kind,
        "copies": row.copies,
        "state": row.state.value,
        "reason": row.reason,
        "issue_number": row.issue_number,
        "pages": row.pages,
        "paid_yen": row.payment.yen if row.payment else 0,
        "refund_due": row.refund_due,
        "moved_at": row.moved_at,
    }
