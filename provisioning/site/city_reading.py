"""Reads the site file of a city. The first mistake is raised; ``hiroba site check`` tells them all."""

from __future__ import annotations

from pathlib import Path

from device.errors import SettingsError
from provisioning.site.city import City
from provisioning.site.city_check import check_city
from provisioning.site.file import SiteFile, loaded
from provisioning.site.reading import explained, open_file


def read_city(path: Path) -> City:
    """The city in ``path``. Raises SettingsError with file, line, key, wrong and right."""
    return _city(open_file(path))


def parse_city(text: str, path: Path) -> City:
    """Like ``read_city`` for a text already read."""
    try:
        file = loaded(text, path)
    except SettingsError as bare:
        raise explained(bare, path) from bare
    return _city(file)


def _city(file: SiteFile) -> City:
    city, mistakes = check_city(file)
    if city is None:
        raise mistakes[0]
    return city
