"""The words on screens and receipts: one TOML catalogue a language in ``locale/`` of each package, flat keys.

A code becomes three sentences: what happened, why, what to do. A code nobody wrote sentences for gets general ones.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from importlib import resources
from typing import NamedTuple

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

    def __init__(self, catalogues: Mapping[str, Mapping[str, str]]) -> None:
        self._catalogues = catalogues
        self.languages = tuple(catalogues)

    @classmethod
    def load(cls, languages: Iterable[str], packages: Iterable[str]) -> Words:
        """The catalogues of ``languages`` out of these packages. Raises FileNotFoundError for a language that one of
        them lacks, WordTwice.
        """
        folders = tuple(packages)
        return cls({language: _catalogue(language, folders) for language in languages})

    def text(self, language: str, key: str, **facts: object) -> str:
        """The sentence under ``key`` with its facts. Raises KeyError for a key that is not there."""
        return self._catalogues[language][key].format(**facts)

    def trouble(self, language: str, code: str, **facts: object) -> Sentences:
        """The three sentences of an error code, a refusal or a printer's condition."""
        known = code if f"trouble.{code}.what" in self._catalogues[language] else GENERAL
        return Sentences(*(self.text(language, f"trouble.{known}.{part}", **facts) for part in Sentences._fields))

    def named(self, language: str, named: object, field: str = "name") -> str:
        """The name that the site file gives in Japanese and English (``name_ja``, ``name_en``), as this language writes
        it: its catalogue says which of the two.
        """
        return str(getattr(named, f"{field}_{self.text(language, 'language.site_names')}"))

    def of(self, language: str) -> Mapping[str, str]:
        """The whole catalogue of one language."""
        return self._catalogues[language]


def _catalogue(language: str, packages: Iterable[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for package in packages:
        words = tomllib.loads(resources.files(package).joinpath("locale", f"{language}.toml").read_text("utf-8"))
        for key in words.keys() & found.keys():
            raise WordTwice(language=language, package=package, key=key)
        found |= words
    return found
