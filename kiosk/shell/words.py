"""The words on screens and receipts: one TOML catalogue a language in ``locale/`` of each package, flat keys.

A code becomes three sentences: what happened, why, what to do. A code nobody wrote sentences for gets general ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from device.catalogue import Catalogue, merged, name_in, read_folder
from device.errors import HirobaError

GENERAL = "general"


class WordTwice(HirobaError):
    """Two packages write words under one key. facts: language, package, key."""

    code = "words.twice"


class Sentences(NamedTuple):
    """What happened, why, and what to do now."""

    what: str
    why: str
    next: str


class Words:
    """Every catalogue. ``languages`` in the order they are offered."""

    def __init__(self, catalogues: Mapping[str, Catalogue]) -> None:
        self._catalogues = catalogues
        self.languages = tuple(catalogues)

    @classmethod
    def load(cls, languages: Iterable[str], packages: Iterable[str]) -> Words:
        """The catalogues of ``languages`` out of these packages. Raises CatalogueInvalid, as for a language that one of
        them lacks, WordTwice.
        """
        wanted = list(languages)
        rooms = {package: read_folder(package, wanted) for package in packages}
        for language in wanted:
            _no_word_twice(language, {package: room[language] for package, room in rooms.items()})
        return cls({language: merged([room[language] for room in rooms.values()]) for language in wanted})

    def text(self, language: str, key: str, **facts: object) -> str:
        """The sentence under ``key`` with its facts. Raises WordMissing for a key that is not there."""
        return self._catalogues[language].text(key, **facts)

    def trouble(self, language: str, code: str, **facts: object) -> Sentences:
        """The three sentences of an error code, a refusal or a printer's condition."""
        known = code if f"trouble.{code}.what" in self._catalogues[language] else GENERAL
        return Sentences(*(self.text(language, f"trouble.{known}.{part}", **facts) for part in Sentences._fields))

    def named(self, language: str, named: object, field: str = "name") -> str:
        """The name that the site file gives in Japanese and English (``name_ja``, ``name_en``), as this language's
        readers are shown it.
        """
        return name_in(language, str(getattr(named, f"{field}_ja")), str(getattr(named, f"{field}_en")))

    def of(self, language: str) -> Mapping[str, str]:
        """The whole catalogue of one language."""
        return self._catalogues[language].sentences


def _no_word_twice(language: str, rooms: Mapping[str, Catalogue]) -> None:
    """Raises WordTwice."""
    found: set[str] = set()
    for package, catalogue in rooms.items():
        for key in catalogue.sentences.keys() & found:
            raise WordTwice(language=language, package=package, key=key)
        found |= catalogue.sentences.keys()
