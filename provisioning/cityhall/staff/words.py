"""The words of the staff's pages, per language, Japanese first."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources

LANGUAGES = ("ja", "en")


class Words:
    """One language's words: plain ones by key, and tables of codes."""

    def __init__(self, language: str) -> None:
        self.language = language
        file = resources.files("provisioning.cityhall") / "locale" / f"{language}.toml"
        self._tree: dict[str, object] = tomllib.loads(file.read_text("utf-8"))

    def __call__(self, key: str, **places: object) -> str:
        """The word ``key``. Raises KeyError."""
        word = self._tree[key]
        if not isinstance(word, str):
            raise KeyError(key)
        return word.format(**places)

    def of(self, table: str, code: object) -> str:
        """What ``code`` is called in ``table``; a code without a name stands for itself."""
        names = self._tree.get(table)
        return str(names.get(str(code), code)) if isinstance(names, dict) else str(code)

    def keys(self) -> set[str]:
        """Every key, tables' as table.key."""
        tables = {f"{t}.{k}" for t, names in self._tree.items() if isinstance(names, dict) for k in names}
        return tables | {k for k, word in self._tree.items() if isinstance(word, str)}


@cache
def words(language: str) -> Words:
    """The words of ``language``, read once."""
    return Words(language if language in LANGUAGES else LANGUAGES[0])
