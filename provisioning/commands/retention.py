"""``hiroba retention``: delete what is past its age; say what is kept, and how long."""

from __future__ import annotations

import json
from pathlib import Path

import click

from device.clock import SystemClock
from provisioning.commands.options import site_options
from provisioning.retention.settings import RetentionSettings
from provisioning.site.reading import read_site


@click.group("retention")
def command() -> None:
    """How long records are kept, and their deletion."""


@command.command()
@site_options
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def run(config: Path, state: Path, as_json: bool) -> None:
    """Delete this box's records that are past the ages of [retention]; for a nightly timer. The audit says how many."""
    from provisioning.retention.deletion import databases, delete_old

    site, clock = read_site(config), SystemClock()
    ledger = (state / site.issuer.register).with_name("ledger.db") if site.issuer else None
    gate = state / site.wifi.gate.database if site.wifi else None
    for database in databases(site.retention, state, ledger, gate):
        for kind, count in delete_old(database, site.retention.audit_days, clock):
            facts = {"file": str(database.file.relative_to(state)), "kind": kind, "count": count}
            click.echo(json.dumps(facts) if as_json else "\t".join(str(fact) for fact in facts.values()))


@command.command()
@site_options
@click.option("--page", is_flag=True, help="The whole map of data (docs/personal_data.md) instead.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def show(config: Path, state: Path, page: bool, as_json: bool) -> None:  # noqa: ARG001
    """Show how long this box keeps what."""
    from provisioning.retention.data_map import page as whole_page

    if page:
        click.echo(whole_page(), nl=False)
        return
    ages = read_site(config).retention
    for key in RetentionSettings.__struct_fields__:
        facts = {"key": key, "days": getattr(ages, key)}
        click.echo(json.dumps(facts) if as_json else f"{key}\t{facts['days']}")
