"""Turns an error into one clear message for the IT staff: what, why, what to do; Japanese first, then English."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib import resources

from device.errors import HirobaError

LANGUAGES = ("ja", "en")


def catalogue() -> Mapping[str, Mapping[str, Mapping[str, str]]]:
    """code -> language -> what, why, next."""
    return tomllib.loads(resources.files("provisioning").joinpath("messages.toml").read_text("utf-8"))


def reasons() -> Mapping[str, Mapping[str, str]]:
    """A program's words for a reason -> language -> people's."""
    return tomllib.loads(resources.files("provisioning").joinpath("reasons.toml").read_text("utf-8"))


def explain(error: HirobaError) -> str:
    """Two paragraphs of three lines each, Japanese and English, without a traceback."""
    entries = catalogue()
    entry = entries.get(error.code, entries["other"])
    places = _places(error)
    return "\n\n".join(_paragraph(entry[language], {**places, **_reason(error, language)}) for language in LANGUAGES)


def _paragraph(words: Mapping[str, str], places: Mapping[str, object]) -> str:
    what, *rest = [words[part].format_map(_Lenient(places)) for part in ("what", "why", "next")]
    return "\n".join([what, *(f"  {line}" for line in rest)])


def _places(error: HirobaError) -> dict[str, object]:
    facts = ", ".join(f"{name}={value}" for name, value in error.facts.items()) or "-"
    key = error.facts.get("key")
    return {
        **_where(error.facts.get("line"), key),
        **_rights(error),
        "reason_ja": error.facts.get("reason", "-"),
        **error.facts,
        "code": error.code,
        "facts": facts,
    }


def _reason(error: HirobaError, language: str) -> dict[str, object]:
    known = reasons().get(str(error.facts.get("reason")))
    return {"reason": known[language]} if known else {}


def _where(line: object, key: object) -> dict[str, object]:
    """Line and key in a file; nothing of a file that could not even be read."""
    if not line:
        return {"where_ja": " ", "where_en": ""}
    return {
        "where_ja": f" の {line} 行目（{key}）" if key else f" の {line} 行目",
        "where_en": f" at line {line}, key {key}" if key else f" at line {line}",
    }


def _rights(error: HirobaError) -> dict[str, object]:
    """A settings error that was not told in Japanese is told as it is."""
    wrong = error.facts.get("wrong", "-")
    return {"wrong_ja": wrong, "right": "Correct that line.", "right_ja": "この行を直してください。"}


class _Lenient(dict[str, object]):
    """A fact the error did not carry shows as a dash instead of failing in the middle of an error."""

    def __missing__(self, key: str) -> str:
        return "-"
