"""The words of the statistics, per language, for page, commands and exports."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from captive_portal.stats.codes import BOX, UNKNOWN_SPOT
from device.catalogue import Catalogue, read_folder

LANGUAGES = ("ja", "en")


class Words:
    """One language's words."""

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
        """The name of a part's value."""
        if part == "hour" and value.isdigit():
            return self("hour_value", hour=int(value))
        return self._catalogue.get(f"{part}.{value}") or self._catalogue.sentence(f"any.{value}")

    def spot(self, spot: str, titles: dict[str, str]) -> str:
        """The name of a spot: its title, or what stands for all of them or none."""
        named = {BOX: self("all_spots"), UNKNOWN_SPOT: self("unknown_spot")}
        return named.get(spot) or titles.get(spot, spot)


@cache
def _catalogues() -> Mapping[str, Catalogue]:
    return read_folder("captive_portal.stats", LANGUAGES)


@cache
def words(language: str) -> Words:
    """The words of ``language``, read once."""
    return Words(language)
