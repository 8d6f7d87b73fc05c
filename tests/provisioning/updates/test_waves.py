"""A release goes out in waves, and stops by itself when it does harm."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from device.clock import JST
from provisioning.updates.waves import BoxReport, Stage, Wave, WavePolicy, included, place, plan
from tests.provisioning.updates.city import box_of, publish, publisher

BEGUN = datetime(2026, 11, 1, 9, tzinfo=JST)
NAMES = [f"plaza-{n}" for n in range(1000)]
CANARY = Wave(stage=Stage.CANARY, since=BEGUN, canaries=("plaza-1",))
TENTH = Wave(stage=Stage.TENTH, since=BEGUN, canaries=("plaza-1",))
LATER = BEGUN + timedelta(hours=25)


def told(wave: Wave, release: int = 7, **facts: object) -> list[BoxReport]:
    """Every box of the wave runs the release; ``facts`` are of the first."""
    names = [n for n in NAMES if included(wave, release, n)]
    reports = [BoxReport(box=n, release=release) for n in names]
    return [BoxReport(**({"box": names[0], "release": release} | facts)), *reports[1:]]  # type: ignore[arg-type]


def test_the_canary_goes_first_and_alone() -> None:
    assert [n for n in NAMES if included(CANARY, 7, n)] == ["plaza-1"]


def test_the_second_wave_is_about_a_tenth_and_another_tenth_for_another_release() -> None:
    first = {n for n in NAMES if included(TENTH, 7, n)}
    second = {n for n in NAMES if included(TENTH, 8, n)}
    assert 70 <= len(first) <= 130
    assert first != second


def test_nobody_takes_a_stopped_release() -> None:
    stopped = Wave(stage=Stage.STOPPED, since=BEGUN, canaries=("plaza-1",))
    assert not any(included(stopped, 7, n) for n in NAMES)


@given(st.text(min_size=1, max_size=20), st.integers(1, 10_000))
def test_who_is_in_a_wave_is_in_every_later_one(box: str, release: int) -> None:
    waves = [Wave(stage=s, since=BEGUN, canaries=("x",)) for s in (Stage.CANARY, Stage.TENTH, Stage.ALL)]
    inside = [included(w, release, box) for w in waves]
    assert inside == sorted(inside)
    assert inside[-1]
    assert 0 <= place(release, box) < 100


def test_a_canary_that_ran_well_for_a_day_opens_the_second_wave() -> None:
    assert plan(CANARY, 7, told(CANARY), LATER).stage is Stage.TENTH


def test_a_day_must_pass_first() -> None:
    step = plan(CANARY, 7, told(CANARY), BEGUN + timedelta(hours=23))
    assert (step.stage, step.why) == (Stage.CANARY, "soaking")


def test_one_canary_that_took_it_back_stops_everything() -> None:
    step = plan(CANARY, 7, told(CANARY, release=6, refused=(7,)), LATER)
    assert (step.stage, step.failed) == (Stage.STOPPED, ("plaza-1",))


def test_a_few_failures_are_borne_in_the_second_wave_and_more_stop_it() -> None:
    reports = told(TENTH)
    limit = int(len(reports) * WavePolicy().failures)
    broken = [BoxReport(box=b.box, release=7, healthy=False) for b in reports]
    assert plan(TENTH, 7, broken[:limit] + reports[limit:], LATER).stage is Stage.ALL
    assert plan(TENTH, 7, broken[: limit + 1] + reports[limit + 1 :], LATER).stage is Stage.STOPPED


def test_a_wave_that_staff_hold_waits_but_still_stops_on_failures() -> None:
    held = Wave(stage=Stage.CANARY, since=BEGUN, canaries=("plaza-1",), held=True)
    assert plan(held, 7, told(held), LATER).why == "held"
    assert plan(held, 7, told(held, healthy=False), LATER).why == "failures"


def test_boxes_that_have_not_answered_are_waited_for() -> None:
    absent = [BoxReport(box=b.box, release=6) for b in told(TENTH)]
    assert plan(TENTH, 7, absent, LATER).why == "waiting"
    assert plan(TENTH, 7, [], LATER).why == "waiting"


@given(
    st.sampled_from(list(Stage)), st.lists(st.tuples(st.integers(5, 8), st.booleans(), st.booleans())), st.booleans()
)
def test_a_plan_never_skips_a_stage_and_never_leaves_a_stop(
    stage: Stage, states: list[tuple[int, bool, bool]], held: bool
) -> None:
    wave = Wave(stage=stage, since=BEGUN, canaries=("plaza-0",), held=held)
    boxes = [
        BoxReport(box=f"plaza-{n}", release=r, healthy=h, refused=(7,) if back else ())
        for n, (r, h, back) in enumerate(states)
    ]
    order = [Stage.CANARY, Stage.TENTH, Stage.ALL]
    then = plan(wave, 7, boxes, LATER).stage
    assert then is Stage.STOPPED or (stage in order and order.index(then) - order.index(stage) in {0, 1})


def test_a_box_outside_the_wave_waits_and_takes_it_when_its_turn_comes(tmp_path: Path) -> None:
    city = publisher(tmp_path / "city")
    box = box_of(city, tmp_path / "box")
    offer = publish(city, "two", Wave(stage=Stage.CANARY, since=BEGUN, canaries=("plaza-1",)))
    assert box.update() == "held"
    city.set_wave(offer.release, Wave(stage=Stage.ALL, since=BEGUN))
    assert box.update() == "installed"
