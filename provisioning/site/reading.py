"""Reads the site file of a box. The first mistake is raised; ``hiroba site check`` tells them all."""

from __future__ import annotations

from pathlib import Path

from device.errors import SettingsError
from provisioning.site.box_types import types_of_box
from provisioning.site.file import SiteFile, load
from provisioning.site.mistake_errors import error_at
from provisioning.site.model import Site
from provisioning.site.type_mistakes import classify


def open_file(path: Path) -> SiteFile:
    """The file at ``path``. Raises SettingsError in people's words where it cannot be read or is no TOML."""
    try:
        return load(path)
    except SettingsError as bare:
        raise explained(bare, path) from bare


def read_site(path: Path) -> Site:
    """The site file of one box at ``path``. Raises SettingsError with file, line, key, wrong and right."""
    site, mistakes = types_of_box(open_file(path))
    if site is None:
        raise mistakes[0]
    return site


def explained(bare: SettingsError, path: Path) -> SettingsError:
    """A file that is no tree yet: unreadable, or no TOML."""
    found = classify("", str(bare.facts["wrong"]))
    return error_at(found, SiteFile(path, "", {}), int(str(bare.facts["line"])), "")
