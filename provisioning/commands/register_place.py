"""No register is begun on a box in a plaza whose file does not say that it is meant to lie there."""

from __future__ import annotations

from pathlib import Path

from provisioning.errors import RegisterOnPlaza
from provisioning.site.lone import register_undeclared
from provisioning.site.reading import open_file


def refuse_undeclared(config: Path, register: Path) -> None:
    """A register that is there already, from a release before this rule, goes on; the doctor calls it an error. Raises
    RegisterOnPlaza.
    """
    if not register.exists() and register_undeclared(open_file(config).tree):
        raise RegisterOnPlaza(file=config)
