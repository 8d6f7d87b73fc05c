"""``hiroba bench``: measured side by side with peers."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from provisioning.bench.rows import BARS


@click.command("bench")
@click.argument("names", nargs=-1, type=click.Choice(sorted(BARS)))
@click.option("--json", "json_file", type=click.Path(path_type=Path, dir_okay=False), help="Write the rows there, too.")
@click.option("--trial", is_flag=True, help="Tiny sizes: shows that it runs; its figures mean nothing.")
def command(names: tuple[str, ...], json_file: Path | None, trial: bool) -> None:
    """Measure all of it, or the benches named. Exits with 0 also when a bar does not hold: the table says so."""
    from rich.console import Console

    from provisioning.bench.benches import run
    from provisioning.bench.machine import describe
    from provisioning.bench.report import show, write_json

    machine = describe()
    rows = []
    for name in names or tuple(BARS):
        click.echo(f"hiroba bench {name} …", err=True)
        rows += run(name, trial=trial)
    show(Console(width=None if sys.stdout.isatty() else 160), machine, rows)
    if json_file:
        write_json(json_file, machine, rows)
