"""The words of the pages: one TOML catalogue per language, all with the same keys.

In a sentence ``{minutes}`` is a value and ``{漢字|かんじ}`` a word with its reading (ruby). A counter whose reading
depends on the number before it has both, ``{minutes}{分|ふん/ぷん}``: the first after a number that ends in 2, 5, 7, 9.
Pure but for reading the catalogues once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from markupsafe import Markup, escape

from device.catalogue import WordMissing, read_folder

LANGUAGES = ("ja", "ja-easy", "zh-Hans", "zh-Hant", "ko", "vi", "en", "ne")
"""Offered on every page, in this order."""

_BRACES = re.compile(r"\{([^{}|]+)(?:\|([^{}|]+))?\}")
_CHINESE = {"cn": "zh-Hans", "sg": "zh-Hans", "hans": "zh-Hans", "tw": "zh-Hant", "hk": "zh-Hant", "mo": "zh-Hant"}


class Catalogue:
    """One language. ``html`` gives markup with ruby, ``plain`` gives text without it."""

    def __init__(self, code: str, sentences: Mapping[str, str]) -> None:
        self.code = code
        self.sentences = sentences

    def html(self, key: str, **values: object) -> Markup:
        """The sentence ``key`` with escaped values. Raises WordMissing for an unknown key or a missing value."""
        return Markup("").join(self._pieces(self._sentence(key, values), values))

    def plain(self, key: str, **values: object) -> str:
        """The sentence ``key`` as text, readings left out. Raises WordMissing like ``html``."""
        return _BRACES.sub(lambda m: m[1] if m[2] else str(values[m[1]]), self._sentence(key, values))

    def _sentence(self, key: str, values: Mapping[str, object]) -> str:
        """Raises WordMissing."""
        sentence = self.sentences.get(key)
        missing = {""} if sentence is None else placeholders(sentence) - values.keys()
        if sentence is None or missing:
            raise WordMissing(language=self.code, key=key, place=min(missing))
        return sentence

    @staticmethod
    def _pieces(sentence: str, values: Mapping[str, object]) -> list[Markup]:
        pieces, end = [Markup("")], 0
        for match in _BRACES.finditer(sentence):
            pieces.append(escape(sentence[end : match.start()]))
            before = pieces[-1] or (pieces[-2] if len(pieces) > 1 else "")
            pieces.append(_ruby(match[1], match[2], before) if match[2] else escape(values[match[1]]))
            end = match.end()
        return [*pieces, escape(sentence[end:])]


def _ruby(word: str, reading: str, before: str) -> Markup:
    """``before``: the text before the word. Of two readings, both are written for the script that counts down."""
    first, _, other = reading.partition("/")
    if not other:
        return Markup("<ruby>{}<rt>{}</rt></ruby>").format(word, reading)
    fits = first if before.endswith(tuple("2579")) else other
    return Markup('<ruby>{}<rt data-readings="{}">{}</rt></ruby>').format(word, reading, fits)


def placeholders(sentence: str) -> frozenset[str]:
    """The names of the values a sentence needs."""
    return frozenset(m[1] for m in _BRACES.finditer(sentence) if not m[2])


def read_catalogues() -> dict[str, Catalogue]:
    """Every language of the folder ``locale``, in the order they are offered."""
    read = read_folder("captive_portal.portal", LANGUAGES)
    return {code: Catalogue(code, found.sentences) for code, found in read.items()}


def choose_language(wanted: str | None, accept: str, offered: Sequence[str] = LANGUAGES) -> str:
    """The visitor's choice, else the best of Accept-Language (RFC 9110 §12.5.4), else the first offered."""
    if wanted in offered:
        return str(wanted)
    for tag in _by_preference(accept[:200]):
        found = _match(tag)
        if found in offered:
            return found
    return offered[0]


def _by_preference(accept: str) -> list[str]:
    weighted = []
    for place, part in enumerate(accept.split(",")):
        tag, _, rest = part.partition(";")
        weight = re.fullmatch(r"\s*q=([01](?:\.[0-9]{0,3})?)\s*", rest)
        quality = float(weight[1]) if weight else 1.0
        if quality > 0:
            weighted.append((-quality, place, tag.strip().lower()))
    return [tag for _, _, tag in sorted(weighted)]


def _match(tag: str) -> str:
    """Our language for one language tag; Chinese by script, else by region, else simplified."""
    parts = tag.split("-")
    if parts[0] == "zh":
        if "hant" in parts:
            return "zh-Hant"
        return next((_CHINESE[p] for p in parts[1:] if p in _CHINESE), "zh-Hans")
    return "zh-Hant" if parts[0] == "yue" else parts[0]
