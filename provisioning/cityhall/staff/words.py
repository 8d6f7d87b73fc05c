"""The words of the staff's pages, per language, Japanese first."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from device.catalogue import Catalogue, read_folder

LANGUAGES = ("ja", "en")


class Words:
    """One language's words: plain ones by key, and tables of codes."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._catalogue = _catalogues()[language]

    def __call__(self, key: str, **places: object) -> str:
        """The word ``key``. Raises WordMissing."""
        return self._catalogue.text(key, **places)

    def of(self, table: str, code: object) -> str:
        """What ``code`` is called in ``table``; a code without a name stands for itself."""
        return self._catalogue.get(f"{table}.{code}") or str(code)

    def keys(self) -> set[str]:
        """Every key, tables' as table.key."""
        return set(self._catalogue.sentences)


@cache
def _catalogues() -> Mapping[str, Catalogue]:
    return read_folder("provisioning.cityhall", LANGUAGES)


@cache
def words(language: str) -> Words:
    """The words of ``language``, read once."""
    return Words(language if language in LANGUAGES else LANGUAGES[0])
