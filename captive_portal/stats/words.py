"""The words of the statistics, per language, for page, commands and exports."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import cast

from captive_portal.stats.codes import BOX, UNKNOWN_SPOT

LANGUAGES = ("ja", "en")


class Words:
    """One language's words."""

    def __init__(self, language: str) -> None:
        self.language = language
        file = resources.files("captive_portal.stats") / "locale" / f"{language}.toml"
        tree = tomllib.loads(file.read_text("utf-8"))
        self._words = {key: word for key, word in tree.items() if isinstance(word, str)}
        self._values = {key: cast("dict[str, str]", table) for key, table in tree.items() if isinstance(table, dict)}

    def __call__(self, key: str, **places: object) -> str:
        """The word ``key``. Raises KeyError."""
        return self._words[key].format(**places)

    def part(self, part: str) -> str:
        """The name of a part."""
        return self._values["parts"][part]

    def value(self, part: str, value: str) -> str:
        """The name of a part's value."""
        if part == "hour" and value.isdigit():
            return self("hour_value", hour=int(value))
        return self._values.get(part, {}).get(value) or self._values["any"][value]

    def spot(self, spot: str, titles: dict[str, str]) -> str:
        """The name of a spot: its title, or what stands for all of them or none."""
        named = {BOX: self("all_spots"), UNKNOWN_SPOT: self("unknown_spot")}
        return named.get(spot) or titles.get(spot, spot)


@cache
def words(language: str) -> Words:
    """The words of ``language``, read once."""
    return Words(language)
