"""Status bytes and what they mean."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.printer.escpos_status import ANSWERS, QUESTIONS, decode, in_order_answer, is_in_order_answer
from device.printer.status import Condition


@pytest.mark.parametrize(
    ("answered", "condition"),
    [
        ("12121212", Condition.READY),
        ("1212121e", Condition.PAPER_LOW),
        ("1a32127e", Condition.PAPER_OUT),
        ("1a161212", Condition.COVER_OPEN),
        ("1a121212", Condition.OFFLINE),
        ("1a521a12", Condition.JAM),
        ("1a521612", Condition.FAULT),
    ],
)
def test_the_measured_bytes_mean_what_the_facts_say(answered: str, condition: Condition) -> None:
    assert decode(dict(zip(QUESTIONS, bytes.fromhex(answered), strict=True))) is condition


@pytest.mark.parametrize("condition", list(ANSWERS))
def test_every_condition_a_printer_tells_is_understood(condition: Condition) -> None:
    assert decode(ANSWERS[condition]) is condition


@pytest.mark.parametrize("missing", QUESTIONS)
def test_silence_to_any_question_is_never_ready(missing: int) -> None:
    assert decode({n: 0x12 for n in QUESTIONS if n != missing}) is Condition.SILENT


@given(st.lists(st.integers(0, 255), min_size=4, max_size=4))
def test_a_printer_can_print_only_when_no_byte_tells_a_cause(answered: list[int]) -> None:
    found = decode(dict(zip(QUESTIONS, answered, strict=True)))
    stops = (0x08, 0x64, 0x6C, 0x60)
    clean = all(b & 0x93 == 0x12 and not b & stop for b, stop in zip(answered, stops, strict=True))
    assert found.can_print is clean


@pytest.mark.parametrize("condition", list(Condition))
def test_an_answer_in_order_is_never_taken_for_one_in_real_time(condition: Condition) -> None:
    assert is_in_order_answer(in_order_answer(condition))
    assert not any(is_in_order_answer(b) for answers in ANSWERS.values() for b in answers.values())
