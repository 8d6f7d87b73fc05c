"""The words on screens and receipts: one TOML catalogue a language in each room's ``locale/`` (device.catalogue).

A code becomes three sentences: what happened, why, what to do. A code nobody wrote sentences for gets general ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from device.catalogue import Catalogue, merged, read_folder

GENERAL = "general"
ROOMS = ("kiosk.shell", "kiosk.sign_in", "kiosk.services.certificates")
"""Packages with a ``locale`` folder."""


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
    def load(cls, languages: list[str]) -> Words:
        """The catalogues of ``languages``. Raises CatalogueInvalid, as for a language without one."""
        rooms = [read_folder(room, languages) for room in ROOMS]
        return cls({name: merged([room[name] for room in rooms]) for name in languages})

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
