"""Turns an error into one clear message for the IT staff: what, why, what to do; Japanese first, then English."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from device.catalogue import Catalogue, read_by_code
from device.errors import HirobaError

LANGUAGES = ("ja", "en")


@cache
def messages() -> Mapping[str, Catalogue]:
    """By language: "CODE.what", "CODE.why", "CODE.next"."""
    return read_by_code("provisioning", "messages.toml", LANGUAGES)


@cache
def reasons() -> Mapping[str, Catalogue]:
    """By language: people's words for a program's words for a reason."""
    return read_by_code("provisioning", "reasons.toml", LANGUAGES)


_BY_NUMBER = re.compile(r"\[Errno \d+\] (?P<said>.*?)(?:: ['\"].*)?")
"""How an OSError names itself."""


def has_message(code: str) -> bool:
    """Whether the code of an error has words of its own."""
    return f"{code}.what" in messages()[LANGUAGES[0]]


def explain(error: HirobaError) -> str:
    """Two paragraphs of three lines each, Japanese and English, without a traceback."""
    code = error.code if has_message(error.code) else "other"
    facts = _facts(error)
    return "\n\n".join(_paragraph(code, language, {**facts, **_reason(error, language)}) for language in LANGUAGES)


def sentence_of(error: HirobaError, language: str) -> str:
    """What happened, in one sentence, for a list of many."""
    code = error.code if has_message(error.code) else "other"
    return messages()[language].sentence(f"{code}.what").format_map(_Lenient(_facts(error)))


def _paragraph(code: str, language: str, facts: Mapping[str, object]) -> str:
    said = [messages()[language].sentence(f"{code}.{part}") for part in ("what", "why", "next")]
    what, *rest = [sentence.format_map(_Lenient(facts)) for sentence in said]
    return "\n".join([what, *(f"  {line}" for line in rest)])


def _facts(error: HirobaError) -> dict[str, object]:
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
    told = str(error.facts.get("reason"))
    by_number = _BY_NUMBER.fullmatch(told)
    known = reasons()[language].get(by_number["said"] if by_number else told)
    return {"reason": known} if known else {}


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
