"""The words of every finding: one file a check, NAME.toml beside its NAME.py."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable

from device.catalogue import Catalogue, by_code, merged

LANGUAGES = ("ja", "en")
Words = Mapping[str, Catalogue]
"""By language: "CODE.title", and for what is not well "CODE.cause" and "CODE.next"."""


@cache
def words() -> Words:
    """Of all checks, and of the examination itself."""
    here = resources.files("provisioning.doctor")
    return words_in(here, here / "checks")


def words_in(*folders: Traversable) -> Words:
    """Of every word file in ``folders``. Raises CatalogueInvalid."""
    files = [file for folder in folders for file in folder.iterdir() if file.name.endswith(".toml")]
    read = [by_code(file.read_text("utf-8"), LANGUAGES, file.name) for file in files]
    return {language: merged([found[language] for found in read]) for language in LANGUAGES}
