"""The plan makes actual into desired, and never opens for one who is not desired."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from captive_portal.gate.kernel import duration, parse_elements
from captive_portal.gate.reconcile import MAPS, Element, Name, Plan, Reading, commands, elements_of, plan, same
from captive_portal.gate.session import Session
from tests.captive_portal.gate.sites import MORNING, mac

NAMES = st.builds(
    Name, st.sampled_from(["up4", "up6", "live", "slow", "blocked", "disaster"]), st.sampled_from("abcdef")
)
SECONDS = st.none() | st.floats(-5, 5000, allow_nan=False)
STATES = st.dictionaries(NAMES, st.builds(Element, st.integers(0, 3), SECONDS), max_size=12)


def carried_out(todo: Plan, actual: dict[Name, Element]) -> dict[Name, Element]:
    left = {name: e for name, e in actual.items() if name not in dict(todo.remove)}
    assert not left.keys() & dict(todo.add).keys()
    return left | dict(todo.add)


@given(STATES, STATES)
def test_the_plan_gives_the_desired_state(desired: dict[Name, Element], actual: dict[Name, Element]) -> None:
    after = carried_out(plan(desired, actual), actual)
    wanted = {name: e for name, e in desired.items() if e.seconds is None or e.seconds > 0}
    assert after.keys() == wanted.keys()
    assert all(same(after[name], e) for name, e in wanted.items())


@given(STATES, STATES)
def test_a_second_plan_has_nothing_to_do(desired: dict[Name, Element], actual: dict[Name, Element]) -> None:
    assert not plan(desired, carried_out(plan(desired, actual), actual))


@given(STATES, STATES)
def test_nothing_undesired_is_ever_added(desired: dict[Name, Element], actual: dict[Name, Element]) -> None:
    assert all(desired[name] == e for name, e in plan(desired, actual).add)


def test_a_session_whose_time_is_up_has_no_elements() -> None:
    session = Session("s", "hall", mac(1), "10.90.0.5", 300, "one_tap", "", "", "", "h", MORNING, since=0.0, ends=100.0)
    assert {name.set for name in elements_of(session, "br-lan", 99.0)} == {"up4", "up6", "live"}
    assert elements_of(session, "br-lan", 100.0) == {}


def test_an_element_that_just_timed_out_does_not_fail_the_removal() -> None:
    script = commands(Plan([(Name("up4", "k"), Element(300, 5.0))], []))
    assert script == "add element inet hiroba up4 { k : 300 }\ndelete element inet hiroba up4 { k }\n"


def test_what_nft_prints_is_read_back() -> None:
    text = """table inet hiroba {
    map up4 {
        type ether_addr . ipv4_addr : mark
        elements = { 02:00:00:00:00:05 . 10.90.1.5 counter packets 2 bytes 300 timeout 1m expires 59s500ms : 0x0000012c,
                     02:00:00:00:00:06 . 10.90.1.6 counter packets 0 bytes 0 timeout 1d expires 1h1s : 0x0000012d }
    }
}"""
    assert parse_elements("up4", text) == {
        Name("up4", "02:00:00:00:00:05 . 10.90.1.5"): Reading(Element(300, 59.5), 300),
        Name("up4", "02:00:00:00:00:06 . 10.90.1.6"): Reading(Element(301, 3601.0), 0),
    }
    assert parse_elements("live", "set live {\n}") == {}
    assert "up4" in MAPS


@given(st.integers(0, 400), st.integers(0, 23), st.integers(0, 59), st.integers(0, 59), st.integers(0, 999))
def test_durations_are_read_as_nft_writes_them(days: int, hours: int, minutes: int, seconds: int, ms: int) -> None:
    parts = ((days, "d"), (hours, "h"), (minutes, "m"), (seconds, "s"), (ms, "ms"))
    text = "".join(f"{number}{unit}" for number, unit in parts if number)
    assert abs(duration(text) - (((days * 24 + hours) * 60 + minutes) * 60 + seconds + ms / 1000)) < 1e-6
