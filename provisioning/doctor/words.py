"""The words of every finding: one file a check, NAME.toml beside its NAME.py."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable

Words = Mapping[str, Mapping[str, Mapping[str, str]]]
"""code -> language -> title, and for what is not well cause and next."""


@cache
def words() -> Words:
    """Of all checks, and of the examination itself."""
    here = resources.files("provisioning.doctor")
    return words_in(here, here / "checks")


def words_in(*folders: Traversable) -> Words:
    """Of every word file in ``folders``."""
    files = [file for folder in folders for file in folder.iterdir() if file.name.endswith(".toml")]
    return {code: said for file in files for code, said in tomllib.loads(file.read_text("utf-8")).items()}
