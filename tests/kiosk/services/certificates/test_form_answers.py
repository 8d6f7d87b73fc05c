"""What a page sent, read as answers: never one that the form does not know, and words in some language always."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from kiosk.issuer.form import Choice, Count, FormField, ManyOf, OneOf, Shortcut, accepts, default_answers
from kiosk.services.certificates.form_answers import Said, lacking, read, said

VALUES = ["a", "b", "c"]
CHOICES = [Choice(value=value, label={"ja": value}) for value in VALUES]
SHORTCUTS = [Shortcut(name="two", label={}, values=["a", "c"]), Shortcut(name="some", label={})]
FORM: list[FormField] = [
    OneOf(name="one", label={}, choices=CHOICES, default="b"),
    ManyOf(name="many", label={}, choices=CHOICES, minimum=1, maximum=2, default=["a"], shortcuts=SHORTCUTS),
    Count(name="number", label={}, unit={}, minimum=2, maximum=4, default=3),
]
SENT = st.lists(
    st.tuples(
        st.sampled_from(["one", "many", "many.shortcut", "number", "more"]),
        st.one_of(st.sampled_from([*VALUES, "two", "some", "1", "3", "９", "-0"]), st.text(max_size=5)),
    ),
    max_size=8,
)


@given(SENT)
def test_what_is_read_is_acceptable_or_it_is_said_which_field_lacks_something(sent: list[tuple[str, str]]) -> None:
    answers = read(FORM, MultiDict(sent))
    assert accepts(FORM, answers) is (lacking(FORM, answers) is None)
    assert answers.keys() == {"one", "many", "number"}


@given(st.lists(st.sampled_from(VALUES), max_size=4))
def test_the_same_choice_has_one_way_to_be_written(values: list[str]) -> None:
    answers = read(FORM, MultiDict([("many", value) for value in values]))
    assert answers["many"] == sorted(set(values))


def test_a_shortcut_with_values_beats_the_single_choices_and_one_without_leaves_them() -> None:
    assert read(FORM, MultiDict([("many.shortcut", "two"), ("many", "b")]))["many"] == ["a", "c"]
    assert read(FORM, MultiDict([("many.shortcut", "some"), ("many", "b")]))["many"] == ["b"]


def test_nothing_sent_is_the_form_as_offered_but_for_what_is_picked_one_by_one() -> None:
    assert read(FORM, MultiDict()) == default_answers(FORM) | {"many": []}


def test_too_few_and_too_many_are_told_with_the_bound() -> None:
    for chosen, told in (([], ("many", "choose_more", 1)), (VALUES, ("many", "choose_fewer", 2))):
        assert lacking(FORM, read(FORM, MultiDict([("many", value) for value in chosen]))) == told


def test_words_fall_back_to_english_then_japanese_then_any() -> None:
    words = {"ja": "北", "en": "north", "vi": "bắc"}
    assert said(words, "vi") == Said("bắc", "vi")
    assert said(words, "ko") == Said("north", "en")
    assert said({"ja": "北", "vi": "bắc"}, "ko") == Said("北", "ja")
    assert said({"vi": "bắc", "en": ""}, "ko") == Said("bắc", "vi")
    assert said({}, "ko") == Said("", "ko")
