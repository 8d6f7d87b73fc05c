"""The words on screens and receipts: one TOML catalogue a language in ``locale/`` of each package (device.catalogue).

A code becomes three sentences: what happened, why, what to do. A code nobody wrote sentences for gets general ones.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from device.catalogue import Catalogue, merged, read_folder
from device.errors import HirobaError

GENERAL = "general"


class WordTwice(HirobaError):
    """Two packages write words under one key. facts: language, key."""

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
    def load(cls, languages: Sequence[str], packages: Sequence[str]) -> Words:
        """The catalogues of ``languages`` out of these packages. Raises CatalogueInvalid, as for a language that one of
        them lacks, and WordTwice.
        """
        read = [read_folder(package, languages) for package in packages]
        return cls({language: _one(language, [words[language] for words in read]) for language in languages})

    def text(self, language: str, key: str, **facts: object) -> str:
        """The sentence under ``key`` with its facts. Raises WordMissing for a key that is not there."""
        return self._catalogues[language].text(key, **facts)

    def trouble(self, language: str, code: str, **facts: object) -> Sentences:
        """The three sentences of an error code, a refusal or a printer's condition."""
        known = code if f"trouble.{code}.what" in self._catalogues[language] else GENERAL
        return Sentences(*(self.text(language, f"trouble.{known}.{part}", **facts) for part in Sentences._fields))

    def of(self, language: str) -> Mapping[str, str]:
        """The whole catalogue of one language."""
        return self._catalogues[language].sentences


def _one(language: str, catalogues: Sequence[Catalogue]) -> Catalogue:
    for key, count in Counter(key for catalogue in catalogues for key in catalogue.sentences).items():
        if count > 1:
            raise WordTwice(language=language, key=key)
    return merged(catalogues)
