"""What may be chosen for a certificate, as data: the issuer offers it, a kiosk draws it and sends the answers. Pure.

An answer is a list of values by field name: of ``one_of`` the one value, of ``many_of`` the values in ascending order,
each once, of ``count`` the number in decimal. There is one way to write an order, so a signature covers one meaning.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

from msgspec import Meta, field

from kiosk.issuer.wire import ByLanguage, Name, WireStruct

MAX_FIELDS, MAX_CHOICES, MAX_COUNT = 12, 200, 99

Value = Annotated[str, Meta(min_length=1, max_length=64)]
Values = Annotated[list[Value], Meta(max_length=MAX_CHOICES)]
Answers = Annotated[dict[Name, Values], Meta(max_length=MAX_FIELDS)]
"""Field name -> values."""


class Choice(WireStruct, frozen=True, kw_only=True):
    """One value that may be chosen. name: what its control is called where ``value`` is made for one visit."""

    value: Value
    label: ByLanguage
    name: Name | None = None


class Shortcut(WireStruct, frozen=True, kw_only=True):
    """A choice for a whole field: exactly ``values``, or, when there are none, those that are picked one by one."""

    name: Name
    label: ByLanguage
    values: Values = field(default_factory=list)


class OneOf(WireStruct, frozen=True, kw_only=True, tag="one_of"):
    """Exactly one of ``choices``. label: the question; short: the same as a heading of the answer, or nothing; help:
    more about it, or nothing.
    """

    name: Name
    label: ByLanguage
    choices: Annotated[list[Choice], Meta(min_length=1, max_length=MAX_CHOICES)]
    default: Value
    short: ByLanguage = field(default_factory=dict)
    help: ByLanguage = field(default_factory=dict)

    def accepts(self, answer: Sequence[str]) -> bool:
        """Whether it may be answered so."""
        return len(answer) == 1 and answer[0] in {choice.value for choice in self.choices}

    @property
    def default_answer(self) -> list[str]:
        """The answer before anything is chosen."""
        return [self.default]


class ManyOf(WireStruct, frozen=True, kw_only=True, tag="many_of"):
    """From ``minimum`` to ``maximum`` of ``choices``; maximum None: all. shortcuts: offered before the choices.
    too_few: what is said when fewer are chosen, or nothing.
    """

    name: Name
    label: ByLanguage
    choices: Annotated[list[Choice], Meta(max_length=MAX_CHOICES)]
    default: Values = field(default_factory=list)
    minimum: int = 0
    maximum: int | None = None
    too_few: ByLanguage = field(default_factory=dict)
    shortcuts: Annotated[list[Shortcut], Meta(max_length=MAX_FIELDS)] = field(default_factory=list)
    short: ByLanguage = field(default_factory=dict)
    help: ByLanguage = field(default_factory=dict)

    def accepts(self, answer: Sequence[str]) -> bool:
        """Whether it may be answered so."""
        most = len(self.choices) if self.maximum is None else self.maximum
        known = {choice.value for choice in self.choices}
        return list(answer) == sorted(set(answer)) and known.issuperset(answer) and self.minimum <= len(answer) <= most

    @property
    def default_answer(self) -> list[str]:
        """The answer before anything is chosen."""
        return sorted(self.default)


class Count(WireStruct, frozen=True, kw_only=True, tag="count"):
    """A whole number from ``minimum`` to ``maximum``. unit: how a number is written, with "{count}" for it; unit_one:
    how one is written in languages that tell it apart (CLDR category "one").
    """

    name: Name
    label: ByLanguage
    unit: ByLanguage
    unit_one: ByLanguage = field(default_factory=dict)
    minimum: Annotated[int, Meta(ge=0)]
    maximum: Annotated[int, Meta(le=MAX_COUNT)]
    default: int
    short: ByLanguage = field(default_factory=dict)
    help: ByLanguage = field(default_factory=dict)

    def accepts(self, answer: Sequence[str]) -> bool:
        """Whether it may be answered so."""
        return len(answer) == 1 and answer[0] in {str(n) for n in range(self.minimum, self.maximum + 1)}

    @property
    def default_answer(self) -> list[str]:
        """The answer before anything is chosen."""
        return [str(self.default)]


FormField = OneOf | ManyOf | Count
Form = Annotated[list[FormField], Meta(max_length=MAX_FIELDS)]


def accepts(form: Sequence[FormField], answers: Mapping[str, Sequence[str]]) -> bool:
    """Whether ``answers`` answer every field of ``form``, and nothing else, as they may."""
    named = {field.name for field in form}
    return answers.keys() == named and all(field.accepts(answers[field.name]) for field in form)


def default_answers(form: Sequence[FormField]) -> dict[str, list[str]]:
    """The form as it is offered."""
    return {field.name: field.default_answer for field in form}
