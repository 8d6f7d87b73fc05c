"""Reads city hall's own file: a whole site file, or one with nothing but [cityhall], and [issuer] beside it."""

from __future__ import annotations

from pathlib import Path

import msgspec

from kiosk.issuer.settings import IssuerSettings
from provisioning.cityhall.settings import CityHallFile, CityHallSettings
from provisioning.errors import SectionMissing
from provisioning.site.mistake_errors import as_error
from provisioning.site.reading import open_file
from provisioning.site.type_mistakes import type_mistakes


def read_cityhall(config: Path) -> CityHallSettings:
    """The [cityhall] section of ``config``. Raises SettingsError, SectionMissing."""
    file = open_file(config)
    if "cityhall" not in file.tree:
        raise SectionMissing(file=config, section="cityhall", process="hiroba cityhall")
    for mistake in type_mistakes(file.tree, CityHallFile):
        raise as_error(mistake, file, CityHallFile)
    return msgspec.convert(file.tree, CityHallFile).cityhall


class _IssuerBeside(msgspec.Struct, frozen=True):
    issuer: IssuerSettings | None = None


def read_issuer(config: Path) -> IssuerSettings | None:
    """The [issuer] section of city hall's own file ``config``. Raises SettingsError."""
    file = open_file(config)
    for mistake in type_mistakes(file.tree, _IssuerBeside):
        raise as_error(mistake, file, _IssuerBeside)
    return msgspec.convert(file.tree, _IssuerBeside).issuer
