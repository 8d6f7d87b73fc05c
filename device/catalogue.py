"""Words for people: one reader of the files that hold them, plural forms, and facts about the languages there are.

Two kinds of file. A folder has one TOML file a language, all with the same keys: ``key = "sentence"``, tables, read as
"table.key", and lists, read as "list.0". A file by code has each code's words side by side: ``["code".ja] part = "…"``,
read as "code.part". ``{place}`` in a sentence is a value. A table of plural forms, ``{ one = "{days} day", other =
"{days} days" }``, is one sentence: the value of its first place chooses (CLDR 46, plural rules of cardinals).

Keys, places and plural forms are checked when a catalogue is read: a language that lacks a word is told at the start.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from string import Formatter
from typing import NamedTuple, TypeVar

from device.errors import HirobaError

T = TypeVar("T")
_PLACE = re.compile(r"\{(\w+)(?:[!:][^{}|]*)?\}")
_READING = re.compile(r"\{[^{}|]*\|[^{}]*\}")
"""Of easy Japanese: written in braces too, and drawn by its reader."""
_CATEGORIES = frozenset({"zero", "one", "two", "few", "many", "other"})


class WordMissing(HirobaError, KeyError):
    """A catalogue has no such key, or no value was given for a place. facts: language, key, place."""

    code = "catalogue.word_missing"


class CatalogueInvalid(HirobaError):
    """A file of words cannot be used. facts: file, language, key, reason."""

    code = "catalogue.invalid"


class Language(NamedTuple):
    """direction: of the script, as HTML's ``dir``. plurals: the CLDR categories of whole numbers. japanese_names: its
    readers are shown names of the city, of spots and of places in Japanese; others in English.
    """

    direction: str = "ltr"
    plurals: tuple[str, ...] = ("other",)
    japanese_names: bool = False


LANGUAGES: Mapping[str, Language] = {
    "ja": Language(japanese_names=True),
    "ja-easy": Language(japanese_names=True),
    "zh-Hans": Language(),
    "zh-Hant": Language(),
    "ko": Language(),
    "vi": Language(),
    "en": Language(plurals=("one", "other")),
    "ne": Language(plurals=("one", "other")),
}
"""BCP 47 tag, or our own for easy Japanese. What a language is called stands in its own catalogues."""


def name_in(language: str, japanese: T, english: T) -> T:
    """Which of two forms of a name a reader of ``language`` is shown. A language that is not known: the English one."""
    return japanese if LANGUAGES.get(language, Language()).japanese_names else english


def language_of_names(language: str) -> str:
    """The language of the names that a reader of ``language`` is shown, where it is another one; else ""."""
    shown = name_in(language, "ja", "en")
    return "" if language.partition("-")[0] == shown else shown


def plural_category(language: str, number: object) -> str:
    """The CLDR category of a whole number; "other" for what is none, and in languages that do not tell them apart."""
    return "one" if number == 1 and "one" in LANGUAGES[language].plurals else "other"


def places(sentence: str) -> tuple[str, ...]:
    """The names of the values that a sentence wants, in order."""
    return tuple(found[1] for found in _PLACE.finditer(sentence))


@dataclass(frozen=True)
class Catalogue:
    """One language's words. sentences: by flat key, of a plural its form "other". plurals: the forms by category."""

    language: str
    sentences: Mapping[str, str]
    plurals: Mapping[str, Mapping[str, str]]

    def text(self, key: str, /, **facts: object) -> str:
        """The sentence with its values. Raises WordMissing."""
        try:
            return self._form(key, facts).format(**facts)
        except KeyError as error:
            place = "" if isinstance(error, WordMissing) else str(error.args[0])
            raise WordMissing(language=self.language, key=key, place=place) from error

    def sentence(self, key: str) -> str:
        """As it stands in the file, places open. Raises WordMissing."""
        try:
            return self.sentences[key]
        except KeyError as error:
            raise WordMissing(language=self.language, key=key, place="") from error

    def get(self, key: str) -> str | None:
        """The same; None for a key that is not there."""
        return self.sentences.get(key)

    def __contains__(self, key: str) -> bool:
        return key in self.sentences

    def _form(self, key: str, facts: Mapping[str, object]) -> str:
        sentence = self.sentence(key)
        forms = self.plurals.get(key)
        if not forms:
            return sentence
        return forms[plural_category(self.language, facts.get(places(sentence)[0]))]


def read_folder(
    package: str, languages: Sequence[str], folder: str = "locale", *, formats: Collection[str] = ()
) -> dict[str, Catalogue]:
    """``folder`` of ``package``: a file for each of ``languages``, in their order. formats: keys whose places differ by
    language, as dates do. Raises CatalogueInvalid.
    """
    root = resources.files(package) / folder
    found = {}
    for language in languages:
        tree = _tree(root / f"{language}.toml", package, language)
        found[language] = catalogue_of(language, tree, package)
    _same(package, list(found.values()), lambda key: key not in formats)
    return found


def read_by_code(package: str, file: str, languages: Sequence[str]) -> dict[str, Catalogue]:
    """A file that holds ``languages`` side by side. Their places may differ: a fact can have a name in each language.
    Raises CatalogueInvalid.
    """
    trees: dict[str, dict[str, object]] = {language: {} for language in languages}
    for key, said in _sides(_tree(resources.files(package) / file, file, ""), languages):
        for language, words in said.items():
            trees[language][key] = words
    found = {language: catalogue_of(language, tree, file) for language, tree in trees.items()}
    _same(file, list(found.values()), lambda _key: False)
    return found


def catalogue_of(language: str, tree: Mapping[str, object], file: str = "") -> Catalogue:
    """The catalogue of one language from its TOML tree. file: only named in errors. Raises CatalogueInvalid."""
    if language not in LANGUAGES:
        raise CatalogueInvalid(file=file, language=language, key="", reason="unknown language")
    sentences: dict[str, str] = {}
    plurals: dict[str, Mapping[str, str]] = {}
    for key, said in _flat(tree):
        forms = [said] if isinstance(said, str) else map(str, said.values())
        if reason := next(filter(None, map(_wrong_places, forms)), ""):
            raise CatalogueInvalid(file=file, language=language, key=key, reason=reason)
        if isinstance(said, str):
            sentences[key] = said
            continue
        if reason := _wrong_forms(said, LANGUAGES[language].plurals):
            raise CatalogueInvalid(file=file, language=language, key=key, reason=reason)
        sentences[key], plurals[key] = str(said["other"]), {name: str(form) for name, form in said.items()}
    return Catalogue(language, sentences, plurals)


def merged(catalogues: Sequence[Catalogue]) -> Catalogue:
    """One catalogue of several rooms' words in one language; of a key that stands in several, the last."""
    sentences: dict[str, str] = {}
    plurals: dict[str, Mapping[str, str]] = {}
    for found in catalogues:
        sentences |= found.sentences
        plurals |= found.plurals
    return Catalogue(catalogues[0].language, sentences, plurals)


def _tree(words: Traversable, file: str, language: str) -> Mapping[str, object]:
    """Raises CatalogueInvalid: not there, not UTF-8, not TOML."""
    try:
        return tomllib.loads(words.read_text("utf-8"))
    except FileNotFoundError as error:
        raise CatalogueInvalid(file=file, language=language, key="", reason="no such file") from error
    except UnicodeDecodeError as error:
        raise CatalogueInvalid(file=file, language=language, key="", reason="not UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise CatalogueInvalid(file=file, language=language, key="", reason=f"not TOML: {error}") from error


def _flat(tree: Mapping[str, object], before: str = "") -> Iterator[tuple[str, str | Mapping[str, object]]]:
    """Sentences, and tables of plural forms, under their dotted keys."""
    for name, value in tree.items():
        if isinstance(value, dict) and not ("other" in value and value.keys() <= _CATEGORIES):
            yield from _flat(value, f"{before}{name}.")
        elif isinstance(value, list):
            yield from ((f"{before}{name}.{place}", str(item)) for place, item in enumerate(value))
        else:
            yield f"{before}{name}", value if isinstance(value, dict) else str(value)


def _sides(
    tree: Mapping[str, object], languages: Sequence[str], before: str = ""
) -> Iterator[tuple[str, dict[str, object]]]:
    """(key, language -> words), wherever the languages stand side by side."""
    for name, value in tree.items():
        if isinstance(value, dict) and value and value.keys() <= set(languages):
            yield f"{before}{name}", value
        elif isinstance(value, dict):
            yield from _sides(value, languages, f"{before}{name}.")


def _wrong_places(sentence: str) -> str:
    """Why no values can be put into the sentence, or ""."""
    try:
        names = [name for _, name, _, _ in Formatter().parse(_READING.sub("", sentence)) if name is not None]
    except ValueError as error:
        return f"braces: {error}"
    return next((f"a place without a name: {{{name}}}" for name in names if not name.isidentifier()), "")


def _wrong_forms(forms: Mapping[str, object], wanted: Sequence[str]) -> str:
    """What is wrong with the plural forms, or ""."""
    if set(forms) != set(wanted):
        return f"plural forms {sorted(forms)}, not {sorted(wanted)}"
    wanted_places = places(str(forms["other"]))
    if not wanted_places:
        return "plural forms without a place"
    strange = {place for form in forms.values() for place in places(str(form))} - set(wanted_places)
    return f"a place that the form other has not: {min(strange)}" if strange else ""


def _same(file: str, catalogues: Sequence[Catalogue], same_places: Callable[[str], bool]) -> None:
    """Every language says what the first one says, and where ``same_places`` with the same places. Raises
    CatalogueInvalid with the first key that differs.
    """
    first = catalogues[0]
    for other in catalogues[1:]:
        for key in sorted(first.sentences.keys() ^ other.sentences.keys()):
            lacking = other if key in first else first
            raise CatalogueInvalid(file=file, language=lacking.language, key=key, reason="missing")
        for key, sentence in first.sentences.items():
            if same_places(key) and set(places(sentence)) != set(places(other.sentences[key])):
                raise CatalogueInvalid(file=file, language=other.language, key=key, reason="other places")
