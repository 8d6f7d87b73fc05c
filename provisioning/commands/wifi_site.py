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
    table = Table(title=title, title_justify="left", title_style="bold")
    for place, heading in enumerate(headings):
        table.add_column(heading, justify="left" if place < left else "right", no_wrap=True)
    lines = list(rows)
    for row in lines[:-1] if last_is_total else lines:
        table.add_row(*row)
    if last_is_total and lines:
        table.add_section()
        table.add_row(*lines[-1], style="bold")
    width = None if sys.stdout.isatty() else 200
    Console(width=width, highlight=False, markup=False).print(table)
