"""The log: one JSON object a line, whatever is handed in."""

from __future__ import annotations

import json
from datetime import datetime
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.logs import MAX_PLACES, open_log, places
from device.secrets import Pin

RESERVED = {"self", "event", "level", "timestamp", "process"}
names = st.from_regex(r"[a-z_]{1,12}", fullmatch=True).filter(lambda name: name not in RESERVED)
plain = st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.text(), max_size=3)


@given(st.text(), st.dictionaries(names, plain, max_size=4))
def test_every_event_is_one_line_of_json(event: str, facts: dict[str, object]) -> None:
    stream = StringIO()
    open_log("gate", stream).warning(event, **facts)
    assert stream.getvalue().count("\n") == 1
    read = json.loads(stream.getvalue())
    assert (read["event"], read["level"]) == (event, "warning")
    assert datetime.fromisoformat(read["timestamp"]).utcoffset() is not None


def test_a_secret_prints_as_stars() -> None:
    stream = StringIO()
    pin = Pin.parse("1234")
    open_log("kiosk", stream).info("pin", value=pin)
    told = {key: value for key, value in json.loads(stream.getvalue()).items() if key != "timestamp"}
    assert "1234" not in str(told)  # a moment's microseconds may be these
    assert "*" in told["value"]


def _name_in_a_message(depth: int = 0) -> None:
    if depth:
        _name_in_a_message(depth - 1)
    raise ValueError("広場 花子 1234")


def _caught(depth: int = 0) -> ValueError:
    with pytest.raises(ValueError, match="花子") as caught:
        _name_in_a_message(depth)
    return caught.value


def test_places_name_file_line_and_function_and_no_value() -> None:
    *_, innermost = told = places(_caught())
    file, _, function = innermost.partition(" ")
    assert (file.rpartition(":")[0], function) == ("tests/device/test_logs.py", "_name_in_a_message")
    assert "花子" not in "".join(told)
    assert "raise" not in "".join(told)


@given(st.integers(0, 40))
def test_places_are_the_innermost_ones_and_never_many(depth: int) -> None:
    told = places(_caught(depth))
    assert len(told) == min(depth + 2, MAX_PLACES)
    assert told[-1].endswith(" _name_in_a_message")


def test_what_caused_an_error_is_told_after_it_without_its_words() -> None:
    caught: list[OSError] = []
    try:
        try:
            _name_in_a_message()
        except ValueError as cause:
            raise OSError("花子") from cause
    except OSError as error:
        caught.append(error)
    told = places(caught[0])
    assert told[1] == "caused by ValueError"
    assert told[-1].endswith(" _name_in_a_message")
    assert "花子" not in "".join(told)


def test_a_chain_that_is_a_circle_ends() -> None:
    one, other = _caught(), _caught()
    one.__cause__, other.__cause__ = other, one
    assert [line for line in places(one) if line.startswith("caused")] == ["caused by ValueError"]


def test_a_library_is_named_without_its_folder() -> None:
    with pytest.raises(json.JSONDecodeError) as caught:
        json.loads("{")
    assert places(caught.value)[-1].partition(":")[0] == "decoder.py"
