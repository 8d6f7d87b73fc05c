"""A site file on disk: its text, and its tree of tables under the names of today."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from device.errors import SettingsError
from device.settings import text_of, tree_of
from provisioning.site.renamed import renamed


class SiteFile(NamedTuple):
    """path: named in messages; text: as it stands; tree: what it says, under the names of today."""

    path: Path
    text: str
    tree: dict[str, Any]


@cache
def say_on_stderr(line: str) -> None:
    """One line for whoever runs the command, once however often the file is read."""
    sys.stderr.write(f"{line}\n")


def load(path: Path, say: Callable[[str], None] = say_on_stderr) -> SiteFile:
    """The file at ``path``; each former name in it is told by ``say``. Raises SettingsError: unreadable, not TOML."""
    return loaded(text_of(path), path, say)


def loaded(text: str, path: Path, say: Callable[[str], None] = say_on_stderr) -> SiteFile:
    """Like ``load`` for a text already read."""
    tree, notes = renamed(tree_of(text, path))
    for note in notes:
        say(f"{path}: {note}")
    return SiteFile(path, text, tree)


def text_is_city(path: Path) -> bool:
    """Whether ``path`` is meant as a city's file: it has boxes. A file that cannot be read is taken for a box's."""
    try:
        text = text_of(path)
    except SettingsError:
        return False
    return bool(re.search(r"^\s*\[\[\s*boxes\s*\]\]|^\s*boxes\s*=", text, re.MULTILINE))
