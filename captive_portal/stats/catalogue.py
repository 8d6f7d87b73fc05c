"""The words of the statistics for page, commands and exports: one file a language, with its date formats."""

from __future__ import annotations

import tomllib
from datetime import date
from functools import cache
from importlib import resources
from typing import Any, cast

from captive_portal.settings import SpotSettings
from captive_portal.stats.codes import ALL_SPOTS, UNKNOWN_SPOT

LANGUAGES = ("ja", "en")
"""Each has a file in ``locale``; the first is the default."""


class StatsCatalogue:
    """The words and date formats of one language."""

    def __init__(self, language: str) -> None:
        self.language = language
        file = resources.files("captive_portal.stats") / "locale" / f"{language}.toml"
        tree: dict[str, Any] = tomllib.loads(file.read_text("utf-8"))
        self._words = {key: word for key, word in tree.items() if isinstance(word, str)}
        self._tables = {key: cast("dict[str, str]", table) for key, table in tree.items() if isinstance(table, dict)}
        self._weekdays: list[str] = tree["weekdays"]
        self._months: list[str] = tree["months"]

    def __call__(self, key: str, **places: object) -> str:
        """The word ``key``. Raises KeyError."""
        return self._words[key].format(**places)

    def part(self, part: str) -> str:
        """The name of a part."""
        return self._tables["parts"][part]

    def value(self, part: str, value: str) -> str:
        """The name of a part's value. Raises KeyError."""
        if part == "hour" and value.isdigit():
            return self("hour_value", hour=int(value))
        return self._tables.get(part, {}).get(value) or self._tables["any"][value]

    def spot(self, spot: str, titles: dict[str, str]) -> str:
        """The title of a spot, or the word for all spots or an unknown one."""
        named = {ALL_SPOTS: self("all_spots"), UNKNOWN_SPOT: self("unknown_spot")}
        return named.get(spot) or titles.get(spot, spot)

    def title(self, spot: SpotSettings) -> str:
        """The spot's title in the site file, in the language that this catalogue names."""
        return spot.title(self("site_language"))

    def day(self, day: date, *, year: bool = True) -> str:
        """A date as people write it in this language."""
        return self(
            "date_format" if year else "date_format_short",
            year=day.year,
            month=day.month,
            month_name=self._months[day.month - 1],
            day=day.day,
            weekday=self._weekdays[day.weekday()],
        )

    def days(self, first: date, last: date) -> str:
        """A day, or a range of days."""
        return self.day(first) if first == last else self("date_range", first=self.day(first), last=self.day(last))


@cache
def catalogue(language: str) -> StatsCatalogue:
    """The catalogue of ``language``, read once."""
    return StatsCatalogue(language)
