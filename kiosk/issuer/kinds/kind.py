"""The shape of a kind of certificate: what its package gives to the issuer, which knows no kind by name.

A package holds ``rules.py`` (who may have it, as a table), ``form.py`` (what may be chosen), ``sheet.py`` (register ->
words), ``layout.typ`` (how it is drawn) and ``locale/`` (words of the form, a TOML file a language).
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from kiosk.issuer.eligibility import Rule
from kiosk.issuer.form import FormField
from kiosk.issuer.paper.sheet import IssueFacts, Sheet
from kiosk.issuer.register.records import HouseholdNow

TITLE = "title"
"""The key of a kind's title in its ``locale/``."""


class HouseholdPerson(NamedTuple):
    """A member of the household as a form shows one. person: a random id that lives for this visit only."""

    person: str
    name: str
    is_self: bool


class SheetOrder(NamedTuple):
    """What a paper is written from. persons: resident ids in the household's order; answers: all other fields."""

    house: HouseholdNow
    applicant: str
    persons: Sequence[str]
    answers: Mapping[str, Sequence[str]]
    issue: IssueFacts


class KindWords:
    """A kind's words in every language, by key."""

    def __init__(self, folder: Path) -> None:
        self._catalogues = {file.stem: tomllib.loads(file.read_text("utf-8")) for file in sorted(folder.glob("*.toml"))}

    def __call__(self, key: str) -> dict[str, str]:
        """Language -> words. Raises KeyError for a key that a language lacks."""
        return {language: catalogue[key] for language, catalogue in self._catalogues.items()}


FormOf = Callable[[KindWords, Sequence[HouseholdPerson]], list[FormField]]


@dataclass(frozen=True)
class Kind:
    """One kind. folder: its package's. persons_field: the field of the form by which persons of the household are
    chosen; None: the paper is about the applicant alone.
    """

    name: str
    folder: Path
    rules: Sequence[Rule]
    form: FormOf
    sheet: Callable[[SheetOrder], Sheet]
    persons_field: str | None = None

    @cached_property
    def words(self) -> KindWords:
        """Read when first asked for."""
        return KindWords(self.folder / "locale")

    @property
    def title(self) -> dict[str, str]:
        """Language -> what the certificate is called."""
        return self.words(TITLE)

    @property
    def layout(self) -> Path:
        """The typst file with ``draw``."""
        return self.folder / "layout.typ"

    def form_for(self, household: Sequence[HouseholdPerson]) -> list[FormField]:
        """The form for this household, at this visit."""
        return self.form(self.words, household)
