"""The log: one JSON object a line, whatever is handed in."""

from __future__ import annotations

import json
from datetime import datetime
from io import StringIO

from hypothesis import given
from hypothesis import strategies as st

from device.logs import open_log
from device.secrets import Pin

RESERVED = {"self", "event", "exc_info", "level", "timestamp", "process"}
names = st.from_regex(r"[a-z_]{1,12}", fullmatch=True).filter(
    lambda n: n not in {"self", "event", "exc_info", "level", "timestamp", "process"}
)
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
    assert "1234" not in stream.getvalue()
    assert "*" in stream.getvalue()


def test_the_trace_of_what_is_being_handled_can_be_told() -> None:
    stream = StringIO()
    try:
        raise KeyError("gone")
    except KeyError:
        open_log("kiosk", stream).error("failed", exc_info=True)
    told = json.loads(stream.getvalue())
    assert "KeyError" in told["exception"]
    assert (told["process"], told["level"]) == ("kiosk", "error")
