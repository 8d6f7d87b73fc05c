"""The plan makes actual into desired, and never opens for one who is not desired."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from captive_portal.gate.kernel.reconcile import (
    Element,
    ElementName,
    Plan,
    add_commands,
    kernel_session,
    matches,
    plan,
    session_elements,
)
from captive_portal.gate.policy.session import Session
from tests.captive_portal.gate.sites import MORNING, a_site, mac

NAMES = st.builds(
    ElementName, st.sampled_from(["up4", "up6", "live", "slow", "blocked", "disaster"]), st.sampled_from("abcdef")
)
SECONDS = st.none() | st.floats(-5, 5000, allow_nan=False)
STATES = st.dictionaries(NAMES, st.builds(Element, st.integers(0, 3), SECONDS), max_size=12)


def carried_out(todo: Plan, actual: dict[ElementName, Element]) -> dict[ElementName, Element]:
    left = {name: e for name, e in actual.items() if name not in dict(todo.remove)}
    assert not left.keys() & dict(todo.add).keys()
    return left | dict(todo.add)


@given(STATES, STATES)
def test_the_plan_gives_the_desired_state(
    desired: dict[ElementName, Element], actual: dict[ElementName, Element]
) -> None:
    after = carried_out(plan(desired, actual), actual)
    wanted = {name: e for name, e in desired.items() if e.seconds is None or e.seconds > 0}
    assert after.keys() == wanted.keys()
    assert all(matches(after[name], e) for name, e in wanted.items())


@given(STATES, STATES)
def test_a_second_plan_has_nothing_to_do(
    desired: dict[ElementName, Element], actual: dict[ElementName, Element]
) -> None:
    assert not plan(desired, carried_out(plan(desired, actual), actual))


@given(STATES, STATES)
def test_nothing_undesired_is_ever_added(
    desired: dict[ElementName, Element], actual: dict[ElementName, Element]
) -> None:
    assert all(desired[name] == e for name, e in plan(desired, actual).add)


def test_a_session_whose_time_is_up_has_no_elements() -> None:
    session = Session("s", "hall", mac(1), "10.90.0.5", 300, "one_tap", "", "", "", "h", MORNING, since=0.0, ends=100.0)
    of = kernel_session(session, a_site().spots[0])
    assert {name.set for name in session_elements(of, 99.0)} == {"up4", "up6", "live"}
    assert session_elements(of, 100.0) == {}
    assert {name.set for name in session_elements(of._replace(ipv6=False), 99.0)} == {"up4", "live"}


def test_elements_of_one_set_make_one_command_for_nft() -> None:
    elements = [(ElementName("live", key), Element(0, 86401.5)) for key in ("0x00000100", "0x00000101")]
    assert add_commands([*elements, (ElementName("up4", "k"), Element(300, 5.0))]) == (
        "add element inet hiroba live { 0x00000100 timeout 1d1s500ms, 0x00000101 timeout 1d1s500ms }\n"
        "add element inet hiroba up4 { k timeout 0d5s0ms : 300 }\n"
    )
