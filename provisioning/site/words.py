"""words.toml and keys.toml: what is said about settings, in Japanese and English."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from device.catalogue import read_by_code

LANGUAGES = ("ja", "en")
_SAID = ("said", "got")
"""Facts in a program's words, which words.toml has in people's."""
_INDEX = re.compile(r"\[\d+\]")


@cache
def words() -> Mapping[str, Mapping[str, Mapping[str, str]]]:
    """words.toml: part -> code -> language -> words."""
    found: dict[str, dict[str, dict[str, str]]] = {}
    for language, catalogue in read_by_code("provisioning.site", "words.toml", LANGUAGES).items():
        for key, said in catalogue.sentences.items():
            part, _, code = key.partition(".")
            found.setdefault(part, {}).setdefault(code, {})[language] = said
    return found


@cache
def key_words() -> Mapping[str, Mapping[str, str]]:
    """keys.toml: key as "wifi.spots[].name" -> language -> what it means."""
    found = read_by_code("provisioning.site", "keys.toml", LANGUAGES)
    return {key: {name: found[name].sentence(key) for name in LANGUAGES} for key in found[LANGUAGES[0]].sentences}


def sentence(part: str, code: str, facts: Mapping[str, str], language: str) -> str:
    """What is said of the mistake ``code``. part: "wrong" or "right"; "" where words.toml says nothing."""
    entry = words()[part].get(code, {})
    own = {name: words()[name].get(fact, {}).get(language, fact) for name, fact in facts.items() if name in _SAID}
    return str(entry.get(language, "")).format_map({**facts, **own})


def documented(key: str) -> str:
    """The key as keys.toml has it: no numbers, and not which box or spot it was said for."""
    plain = _INDEX.sub("[]", key)
    plain = re.sub(r"^boxes\[\]\.(?=[a-z_]+[.\[])", "", plain)
    return re.sub(r"^spot\.", "wifi.spots[].", plain)
