"""What the kiosk can offer: one package a service, all of one shape, one row each here.

A service that the site file switches off is not imported.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from typing import TYPE_CHECKING

from device.errors import HirobaError

if TYPE_CHECKING:
    from kiosk.shell.service import Service

ROWS: tuple[str, ...] = (
    "certificates",
    "plaza",
)
"""Packages of this folder; ``service.SERVICE`` in each is the service of that name."""


class ServiceUnknown(HirobaError):
    """The settings name a service that is none. facts: name, known."""

    code = "service.unknown"


def load(names: Iterable[str]) -> tuple[Service, ...]:
    """The services of these names. Raises ServiceUnknown for a name without a row."""
    return tuple(_load(name) for name in dict.fromkeys(names))


def _load(name: str) -> Service:
    if name not in ROWS:
        raise ServiceUnknown(name=name, known=", ".join(ROWS))
    found: Service = import_module(f"{__name__}.{name}.service").SERVICE
    return found
