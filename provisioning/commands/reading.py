"""What commands share that only show: a database that is not there yet is told in one line, and is not made."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from device.store import Migration, Store


def there_is(file: Path) -> bool:
    """Whether ``file`` is there. If it is not, one line on standard error says so."""
    if file.exists():
        return True
    click.echo(f"まだ何もありません / nothing there yet: {file}", err=True)
    return False


def store_for_reading(file: Path, migrations: Sequence[Migration]) -> Store | None:
    """The database ``file``, or None when there is none yet, which is told. Raises StoreError."""
    return Store.for_reading(file, migrations) if there_is(file) else None
