"""What a visitor sent, read as answers to the form that was offered; and its words in the visitor's language. Pure.

A value that was not offered is not heard, a number outside its bounds is brought back into them: what comes out may
lack an answer, but is never one that the form does not know.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from werkzeug.datastructures import MultiDict

from kiosk.issuer.form import Count, FormField, ManyOf, OneOf

FALL_BACK = ("en", "ja")
"""Languages tried after the visitor's own, in this order."""
SHORTCUT = "{field}.shortcut"
"""The name under which a form sends a shortcut of ``field``."""

TOO_FEW, TOO_MANY = "choose_more", "choose_fewer"
"""Notices about a field."""

Sent = MultiDict[str, str]


class Said(NamedTuple):
    """Words and the language that they are in."""

    text: str
    language: str


class Lacking(NamedTuple):
    """A field of which too few or too many are chosen. code: the notice about it. bound: how many must or may be."""

    field: str
    code: str
    bound: int


def said(words: Mapping[str, str], language: str) -> Said:
    """``words`` in ``language``, else in English, else in Japanese, else in whatever there is; else nothing."""
    for found in (language, *FALL_BACK, *words):
        if words.get(found):
            return Said(words[found], found)
    return Said("", language)


def read(form: Sequence[FormField], sent: Sent) -> dict[str, list[str]]:
    """An answer to every field, in the form's own way of writing (kiosk.issuer.form)."""
    return {field.name: _answer(field, sent) for field in form}


def clamped(text: str | None, minimum: int, maximum: int, default: int) -> int:
    """The number typed, within its bounds; ``default`` when it is none."""
    try:
        return min(max(int(text or ""), minimum), maximum)
    except ValueError:
        return default


def lacking(form: Sequence[FormField], answers: Mapping[str, Sequence[str]]) -> Lacking | None:
    """The first field that cannot be answered so; None: all is well."""
    for field in form:
        if isinstance(field, ManyOf) and not field.accepts(answers[field.name]):
            few = len(answers[field.name]) < field.minimum
            bound = field.minimum if few else field.maximum or 0
            return Lacking(field.name, TOO_FEW if few else TOO_MANY, bound)
    return None


def _answer(field: FormField, sent: Sent) -> list[str]:
    if isinstance(field, OneOf):
        value = [sent.get(field.name, "")]
        return value if field.accepts(value) else field.default_answer
    if isinstance(field, Count):
        return [str(clamped(sent.get(field.name), field.minimum, field.maximum, field.default))]
    chosen = next((one for one in field.shortcuts if one.name == sent.get(SHORTCUT.format(field=field.name))), None)
    values = chosen.values if chosen and chosen.values else sent.getlist(field.name)
    return sorted({choice.value for choice in field.choices}.intersection(values))
