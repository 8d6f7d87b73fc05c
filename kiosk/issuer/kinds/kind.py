"""The shape of a kind of certificate: what its package gives to the issuer, which knows no kind by name.

A package holds ``rules.py`` (who may have it, as a table), ``form.py`` (what may be chosen), ``sheet.py`` (register ->
words), ``layout.typ`` (how it is drawn) and ``locale/`` (words of the form, a TOML file a language).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import NamedTuple

from device.catalogue import read_folder
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
    """A kind's words in every language it has, by key."""

    def __init__(self, package: str) -> None:
        folder = resources.files(package) / "locale"
        languages = sorted(file.name.removesuffix(".toml") for file in folder.iterdir() if file.name.endswith(".toml"))
        self._catalogues = read_folder(package, languages)

    def __call__(self, key: str) -> dict[str, str]:
        """Language -> words. Raises WordMissing."""
        return {language: catalogue.sentence(key) for language, catalogue in self._catalogues.items()}

    def one(self, key: str) -> dict[str, str]:
        """The form for the number one of a key with plural forms, in the languages that have one."""
        plurals = {language: catalogue.plurals.get(key, {}) for language, catalogue in self._catalogues.items()}
        return {language: forms["one"] for language, forms in plurals.items() if "one" in forms}


FormOf = Callable[[KindWords, Sequence[HouseholdPerson]], list[FormField]]


@dataclass(frozen=True)
class Kind:
    """One kind. package: where its files are; its last part is the kind's name. persons_field: the field of the form by
    which persons of the household are chosen; None: the paper is about the applicant alone.
    """

    package: str
    rules: Sequence[Rule]
    form: FormOf
    sheet: Callable[[SheetOrder], Sheet]
    persons_field: str | None = None

    @property
    def name(self) -> str:
        """As the protocol, the ledger and the site file call it."""
        return self.package.rpartition(".")[2]

    @cached_property
    def words(self) -> KindWords:
        """Read when first asked for."""
        return KindWords(self.package)

    @property
    def folder(self) -> Path:
        """Of its package."""
        return Path(str(resources.files(self.package)))

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
