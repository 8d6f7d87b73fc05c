"""A secret shows itself to nobody who did not ask for it by name."""

from __future__ import annotations

import copy
import json
import pickle
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.logs import open_log
from device.secrets import Pin, Secret, overwrite


def test_a_pin_prints_as_stars_everywhere() -> None:
    pin = Pin(b"4821")
    out = StringIO()
    open_log("test", out).info("checked", pin=pin)
    shown = [repr(pin), str(pin), f"{pin}", f"{pin!r:>20}", str([pin]), out.getvalue()]
    assert not any("4821" in text for text in shown)
    assert json.loads(out.getvalue())["pin"] == "Pin(****)"


@pytest.mark.parametrize("leak", [pickle.dumps, copy.deepcopy])
def test_a_secret_is_not_serialised(leak: object) -> None:
    assert callable(leak)
    with pytest.raises(TypeError):
        leak(Secret(b"value"))


def test_a_secret_is_zero_after_its_block() -> None:
    with Secret(b"value") as secret:
        assert secret.equals(b"value")
        assert not secret.equals(b"valuf")
    assert secret.reveal() == b""


def test_full_width_digits_are_the_same_pin() -> None:
    pin = Pin.parse("４８２１")
    assert pin is not None
    assert pin.reveal() == b"4821"


@given(st.text(max_size=8))
def test_only_four_digits_ever_become_a_pin(typed: str) -> None:
    pin = Pin.parse(typed)
    assert pin is None or (len(pin.reveal()) == 4 and pin.reveal().isdigit())


@pytest.mark.parametrize("typed", ["", "123", "12345", "12a4", "1234\n", " 1234", "١٢٣٤"])
def test_what_is_not_four_digits_never_reaches_the_card(typed: str) -> None:
    assert Pin.parse(typed) is None


def test_what_held_a_secret_is_overwritten_where_it_lies() -> None:
    digits, text = bytes(bytearray(b"4821")), "".join(["48", "21"])
    overwrite(digits)
    overwrite(text)
    assert digits == bytes(4)
    assert text == "\0" * 4


@given(st.one_of(st.binary(max_size=1), st.text(max_size=1), st.text(alphabet="４８２１", min_size=4)))
def test_what_python_shares_or_keeps_otherwise_is_left_alone(value: bytes | str) -> None:
    before = repr(value)
    overwrite(value)
    assert repr(value) == before
