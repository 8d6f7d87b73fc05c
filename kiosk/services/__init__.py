"""What the kiosk can offer: one package a service, all of one shape, one row each here.

A service that the site file switches off is not imported.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kiosk.shell.service import Service

ROWS: tuple[str, ...] = (
    "certificates",
    "plaza",
)
"""Packages of this folder; ``service.SERVICE`` in each is the service of that name."""


def load(names: Iterable[str]) -> tuple[Service, ...]:
    """The services of these names. Raises KeyError for a name without a row (the check of the site file tells it)."""
    return tuple(_load(name) for name in dict.fromkeys(names))


def _load(name: str) -> Service:
    if name not in ROWS:
        raise KeyError(name)
    found: Service = import_module(f"{__name__}.{name}.service").SERVICE
    return found
