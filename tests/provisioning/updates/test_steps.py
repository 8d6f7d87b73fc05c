"""The steps of an update: a power cut at each, what they wait for, and how much time they have."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from provisioning.updates.disk import Disk
from provisioning.updates.errors import ActivationFailed, TrialFailed
from provisioning.updates.installer import Installer, Ports, Timeouts
from provisioning.updates.repository import Repository
from provisioning.updates.slots import COMMAND
from provisioning.updates.steps import AFTER_A_CUT, FORWARD, ROLLBACK, Step
from tests.provisioning.updates.city import BOX, BoxUnderTest, box_of, clock_at, publish, publisher, quick_fill
from tests.provisioning.updates.power import PowerCut
from tests.provisioning.updates.starts import at, start_again


@pytest.fixture
def city(tmp_path: Path) -> Repository:
    return publisher(tmp_path / "city")


@pytest.fixture
def box(city: Repository, tmp_path: Path) -> BoxUnderTest:
    return box_of(city, tmp_path / "box")


@pytest.mark.parametrize("step", [*FORWARD, *ROLLBACK])
def test_after_a_power_cut_at_a_step_runs_what_the_table_says(city: Repository, box: BoxUnderTest, step: Step) -> None:
    new = "ill-two" if step in ROLLBACK else "two"
    publish(city, new)
    box.step = at(step)
    with pytest.raises(PowerCut):
        box.update()
    box.step = lambda _: None
    start_again(box)
    assert box.runs() == {"old": "first", "new": new}[AFTER_A_CUT[step]]
    assert box.update() in ({"refused_before"} if step in ROLLBACK else {"installed", "up_to_date"})
    assert (box.runs(), box.is_of_one_release()) == ("first" if step in ROLLBACK else new, True)


@pytest.mark.parametrize("step", ROLLBACK)
def test_a_power_cut_on_the_way_back_of_a_return_by_staff_lays_the_right_units(
    city: Repository, box: BoxUnderTest, step: Step
) -> None:
    publish(city, "two")
    box.update()
    (box.folder / "slots" / "a" / COMMAND).write_text("ill-first")
    box.step = at(step)
    with pytest.raises(PowerCut):
        box.installer().roll_back()
    box.step = lambda _: None
    start_again(box)
    assert (box.runs(), box.slots.refused()) == ("two", ())


def test_what_can_not_be_laid_at_a_start_is_taken_back_before_it_runs(city: Repository, box: BoxUnderTest) -> None:
    publish(city, "two")
    box.step = at(Step.LAY)
    with pytest.raises(PowerCut):
        box.update()

    def lay(_: float) -> None:
        if box.runs() == "two":
            raise ActivationFailed(reason="hiroba: exit 1")

    ports = Ports(quick_fill, lay, lambda _: None, lambda *_: "", lambda: None)
    assert Installer(box.slots, BOX, ports).recover()
    assert (box.runs(), box.slots.refused(), box.slots.trial()) == ("first", (1,), None)


def test_recovery_leaves_an_update_alone_that_is_at_work(city: Repository, box: BoxUnderTest) -> None:
    """``systemctl restart hiroba.target`` of an update may start the unit of recovery too."""
    publish(city, "two")
    asked: list[bool] = []
    box.step = lambda step: asked.append(box.installer().recover()) if step is Step.RESTART else None
    assert box.update() == "installed"
    assert asked == [False]


def test_a_visit_is_waited_for(city: Repository, box: BoxUnderTest) -> None:
    publish(city, "two")
    clock, busy = clock_at("2026-11-01"), [True] * 30
    box.idle = lambda: not busy or not busy.pop()
    installer = box.installer(Timeouts(clock=clock, sleep=clock.advance))
    assert installer.update(box.client()) == "installed"
    assert busy == []


def test_a_visit_without_end_puts_the_update_off(city: Repository, box: BoxUnderTest) -> None:
    publish(city, "two")
    clock = clock_at("2026-11-01")
    box.idle = lambda: False
    installer = box.installer(Timeouts(clock=clock, sleep=clock.advance))
    assert installer.update(box.client()) == "in_use"
    assert (box.runs(), box.slots.trial()) == ("first", None)
    box.idle = lambda: True
    assert box.update() == "installed"


def test_laying_restarting_and_watching_share_one_time(city: Repository, box: BoxUnderTest) -> None:
    publish(city, "two")
    clock, left = clock_at("2026-11-01"), list[float]()

    def healthy(_: tuple[str, ...], seconds: float) -> str:
        left.append(seconds)
        return ""

    slow = Ports(quick_fill, lambda _: clock.advance(5), lambda _: clock.advance(20), healthy, lambda: None)
    Installer(box.slots, BOX, slow, Timeouts(health=35, clock=clock)).update(box.client())
    assert left == [10]


def test_what_ran_before_is_what_must_run_after_wherever_the_power_is_cut(city: Repository, box: BoxUnderTest) -> None:
    publish(city, "two")
    asked: list[tuple[str, ...]] = []

    def healthy(units: tuple[str, ...], _: float) -> str:
        asked.append(units)
        return ""

    step = at(Step.WATCH)
    first = Ports(quick_fill, lambda _: None, lambda _: None, healthy, lambda: None, lambda: ("a.service",), step=step)
    with pytest.raises(PowerCut):
        Installer(box.slots, BOX, first).update(box.client())
    later = Ports(quick_fill, lambda _: None, lambda _: None, healthy, lambda: None, lambda: ("b.service",))
    Installer(box.slots, BOX, later).settle(after_start=True)
    assert asked == [("a.service",)]


class FullDisk(Disk):
    """Takes no file more once ``full``; a link can still be led elsewhere."""

    full = False

    def write(self, file: Path, content: bytes) -> None:
        """See Disk."""
        if self.full:
            raise OSError(errno.ENOSPC, "no space")
        super().write(file, content)


def test_a_full_disk_does_not_keep_the_box_on_an_ill_release(city: Repository, box: BoxUnderTest) -> None:
    publish(city, "ill-two")
    box.disk = disk = FullDisk()

    def fill_up(step: Step) -> None:
        disk.full = disk.full or step is Step.WATCH

    box.step = fill_up
    with pytest.raises(TrialFailed):
        box.update()
    assert (box.runs(), box.is_of_one_release(), box.slots.trial()) == ("first", True, None)


def test_a_surprise_while_a_release_is_watched_takes_it_back(city: Repository, box: BoxUnderTest) -> None:
    publish(city, "two")

    def surprise(*_: object) -> str:
        raise LookupError

    ports = Ports(quick_fill, lambda _: None, lambda _: None, surprise, lambda: None)
    with pytest.raises(TrialFailed) as caught:
        Installer(box.slots, BOX, ports).update(box.client())
    assert (caught.value.facts["reason"], box.runs()) == ("LookupError", "first")
