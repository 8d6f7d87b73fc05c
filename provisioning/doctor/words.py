"""The words of every finding: one file a check, NAME.toml beside its NAME.py."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources

from device.catalogue import Catalogue, merged, read_by_code

LANGUAGES = ("ja", "en")
Words = Mapping[str, Catalogue]
"""By language: "CODE.title", and for what is not well "CODE.cause" and "CODE.next"."""


@cache
def words() -> Words:
    """Of all checks, and of the examination itself. Raises CatalogueInvalid."""
    return words_in("provisioning.doctor", "provisioning.doctor.checks")


def words_in(*packages: str) -> Words:
    """Of every word file in ``packages``. Raises CatalogueInvalid."""
    found = [
        read_by_code(package, file.name, LANGUAGES)
        for package in packages
        for file in sorted(resources.files(package).iterdir(), key=lambda file: file.name)
        if file.name.endswith(".toml")
    ]
    return {language: merged([one[language] for one in found]) for language in LANGUAGES}
