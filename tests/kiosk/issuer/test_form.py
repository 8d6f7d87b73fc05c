"""Forms and their answers: what is accepted, one way to write it, and bounds that a reader holds."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.issuer.form import Choice, Count, Form, FormField, ManyOf, OneOf, accepts, default_answers
from kiosk.issuer.protocol import OrderContent, authorisation_message

CHOICES = [Choice(value=value, label={"ja": value}) for value in ("a", "b", "c")]
FORM: list[FormField] = [
    OneOf(name="one", label={"ja": "一"}, choices=CHOICES, default="b"),
    ManyOf(name="many", label={"ja": "多"}, choices=CHOICES, minimum=1, maximum=2, default=["c", "a"]),
    Count(name="number", label={"ja": "数"}, unit={"ja": "{count}"}, minimum=2, maximum=12, default=3),
]
GOOD = {"one": ["b"], "many": ["a", "c"], "number": ["3"]}


def test_the_form_as_offered_is_accepted() -> None:
    assert default_answers(FORM) == GOOD
    assert accepts(FORM, GOOD)


@pytest.mark.parametrize(
    "wrong",
    [
        {"one": []},
        {"one": ["a", "b"]},
        {"one": ["d"]},
        {"many": []},
        {"many": ["a", "b", "c"]},
        {"many": ["b", "a"]},
        {"many": ["a", "a"]},
        {"many": ["d"]},
        {"number": ["1"]},
        {"number": ["13"]},
        {"number": ["03"]},
        {"number": ["３"]},
        {"number": ["3.0"]},
        {"more": ["a"]},
    ],
)
def test_anything_else_is_not(wrong: dict[str, list[str]]) -> None:
    assert not accepts(FORM, GOOD | wrong)
    assert not accepts(FORM, {name: GOOD[name] for name in ("one", "many")})


@given(st.permutations(list(GOOD)))
def test_the_card_signs_the_same_bytes_in_whatever_order_fields_were_written(names: list[str]) -> None:
    def signed(answers: dict[str, list[str]]) -> bytes:
        content = OrderContent(request="request-1", kind="any", answers=answers, copies=1)
        return authorisation_message(b"n" * 32, "kiosk", content)

    assert signed({name: GOOD[name] for name in names}) == signed(GOOD)
    assert signed(GOOD | {"number": ["4"]}) != signed(GOOD)


def test_a_form_reads_back_as_it_was_sent() -> None:
    assert msgspec.json.decode(msgspec.json.encode(FORM), type=Form) == FORM


@pytest.mark.parametrize(
    "body",
    [
        b'{"request":"r","kind":"../etc","answers":{},"copies":1}',
        b'{"request":"r","kind":"any","answers":{"<b>":["a"]},"copies":1}',
        b'{"request":"r","kind":"any","answers":{"one":["' + b"x" * 65 + b'"]},"copies":1}',
        b'{"request":"r","kind":"any","answers":{"one":[' + b'"a",' * 200 + b'"a"]},"copies":1}',
    ],
)
def test_an_order_out_of_all_bounds_is_not_even_read(body: bytes) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(body, type=OrderContent)
