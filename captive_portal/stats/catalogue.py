"""The words of the statistics for page, commands and exports: one file a language, with its date formats."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cache

from captive_portal.settings import SpotSettings
from captive_portal.stats.codes import ALL_SPOTS, UNKNOWN_SPOT
from device.catalogue import Catalogue, name_in, read_folder

LANGUAGES = ("ja", "en")
"""Each has a file in ``locale``; the first is the default."""


class StatsCatalogue:
    """The words and date formats of one language."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._catalogue = _catalogues()[language]

    def __call__(self, key: str, **places: object) -> str:
        """The word ``key``. Raises WordMissing."""
        return self._catalogue.text(key, **places)

    def part(self, part: str) -> str:
        """The name of a part."""
        return self._catalogue.sentence(f"parts.{part}")

    def value(self, part: str, value: str) -> str:
        """The name of a part's value. Raises WordMissing."""
        if part == "hour" and value.isdigit():
            return self("hour_value", hour=int(value))
        return self._catalogue.get(f"{part}.{value}") or self._catalogue.sentence(f"any.{value}")

    def spot(self, spot: str, titles: dict[str, str]) -> str:
        """The title of a spot, or the word for all spots or an unknown one."""
        named = {ALL_SPOTS: self("all_spots"), UNKNOWN_SPOT: self("unknown_spot")}
        return named.get(spot) or titles.get(spot, spot)

    def title(self, spot: SpotSettings) -> str:
        """The spot's title in the site file, in the form for readers of this language."""
        return name_in(self.language, spot.title_ja, spot.title_en)

    def day(self, day: date, *, year: bool = True) -> str:
        """A date as people write it in this language."""
        return self(
            "date_format" if year else "date_format_short",
            year=day.year,
            month=day.month,
            month_name=self._catalogue.sentence(f"months.{day.month - 1}"),
            day=day.day,
            weekday=self._catalogue.sentence(f"weekdays.{day.weekday()}"),
        )

    def days(self, first: date, last: date) -> str:
        """A day, or a range of days."""
        return self.day(first) if first == last else self("date_range", first=self.day(first), last=self.day(last))


@cache
def _catalogues() -> Mapping[str, Catalogue]:
    return read_folder("captive_portal.stats", LANGUAGES, formats=("date_format", "date_format_short"))


@cache
def catalogue(language: str) -> StatsCatalogue:
    """The catalogue of ``language``, read once."""
    return StatsCatalogue(language)
