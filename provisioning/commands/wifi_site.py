"""What the Wi-Fi commands share: the [wifi] section, the gate's client, and tables on the terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from captive_portal.gate.client import SocketGateClient
from captive_portal.settings import WifiSettings
from provisioning.errors import SectionMissing
from provisioning.site.model import Site
from provisioning.site.reading import read_site


def wifi_of(site: Site, config: Path, process: str) -> WifiSettings:
    """The [wifi] section. Raises SectionMissing."""
    if site.wifi is None:
        raise SectionMissing(file=config, section="wifi", process=process)
    return site.wifi


def gate_of(config: Path, state: Path, process: str) -> SocketGateClient:
    """The gate of this box. Raises SettingsError, SectionMissing; asking it raises GateUnreachable."""
    wifi = wifi_of(read_site(config), config, process)
    return SocketGateClient(state / wifi.gate.socket)


def print_table(
    title: str, headings: Sequence[str], rows: Iterable[Sequence[str]], *, left: int = 1, last_is_total: bool = False
) -> None:
    """A table on the terminal; the first ``left`` columns are words, the others figures. Wide when piped: a program
    that cuts lines must not cut cells.
    """
    table = make_table(title, headings, list(rows), left=left, last_is_total=last_is_total)
    width = None if sys.stdout.isatty() else 200
    Console(width=width, highlight=False, markup=False).print(table)


def make_table(
    title: str, headings: Sequence[str], rows: Sequence[Sequence[str]], *, left: int, last_is_total: bool = False
) -> Table:
    """The table of ``print_table``. Where a terminal is narrow, a cell goes on in its next line; nothing is cut off."""
    table = Table(title=title, title_justify="left", title_style="bold")
    for place, heading in enumerate(headings):
        table.add_column(heading, justify="left" if place < left else "right", overflow="fold")
    for row in rows[:-1] if last_is_total else rows:
        table.add_row(*row)
    if last_is_total and rows:
        table.add_section()
        table.add_row(*rows[-1], style="bold")
    return table
