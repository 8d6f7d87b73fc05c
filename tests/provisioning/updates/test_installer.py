"""A release is tried and kept, or taken back; and the power may be cut at any moment."""

from __future__ import annotations

import fcntl
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provisioning.updates.disk import Disk
from provisioning.updates.errors import (
    ActivationFailed,
    InstallerBusy,
    NoneForThisBox,
    NothingToRollBackTo,
    SlotsMissing,
    TrialFailed,
)
from provisioning.updates.installer import STARTS, Installer, Ports, report
from provisioning.updates.repository import Repository
from provisioning.updates.slots import COMMAND
from tests.provisioning.updates.city import BOX, BoxUnderTest, box_of, publish, publisher, quick_fill
from tests.provisioning.updates.power import MOMENTS, CutDisk, PowerCut
from tests.provisioning.updates.starts import start_again


@pytest.fixture
def city(tmp_path: Path) -> Repository:
    return publisher(tmp_path / "city")


@pytest.fixture
def box(city: Repository, tmp_path: Path) -> BoxUnderTest:
    return box_of(city, tmp_path / "box")


def test_a_healthy_release_is_kept_and_others_are_told(city: Repository, box: BoxUnderTest) -> None:
    publish(city, "two")
    assert box.update() == "installed"
    assert (box.runs(), box.ran, box.told) == ("two", ["two"], ["two"])
    assert (box.folder / "good").readlink() == (box.folder / "current").readlink() == Path("slots/b")
    assert box.update() == "up_to_date"


def test_an_ill_release_is_taken_back_and_not_tried_again(city: Repository, box: BoxUnderTest) -> None:
    publish(city, "ill-two")
    with pytest.raises(TrialFailed):
        box.update()
    assert (box.runs(), box.ran, box.told) == ("first", ["ill-two", "first"], [])
    assert box.update() == "refused_before"
    publish(city, "three")
    assert box.update() == "installed"
    assert box.runs() == "three"


def test_a_release_that_was_taken_back_can_be_tried_again_when_staff_say_so(
    city: Repository, box: BoxUnderTest
) -> None:
    publish(city, "ill-two")
    with pytest.raises(TrialFailed):
        box.update()
    with pytest.raises(TrialFailed):
        box.installer().update(box.client(), again=True)
    assert (box.runs(), box.slots.refused()) == ("first", (1,))


def test_a_release_whose_units_do_not_start_is_taken_back(city: Repository, box: BoxUnderTest) -> None:
    publish(city, "two")

    def restart(_: float) -> None:
        if box.runs() == "two":
            raise ActivationFailed(reason="systemctl: exit 1")

    ports = Ports(quick_fill, lambda _: None, restart, lambda *_: "", lambda: None)
    with pytest.raises(TrialFailed):
        Installer(box.slots, BOX, ports).update(box.client())
    assert box.runs() == "first"


def test_staff_can_send_a_release_away_for_good(city: Repository, box: BoxUnderTest) -> None:
    publish(city, "two")
    box.update()
    box.installer().roll_back()
    assert (box.runs(), report(box.slots)["refused"]) == ("first", [1])
    assert box.update() == "refused_before"
    with pytest.raises(NothingToRollBackTo):  # the other slot holds what was sent away
        box.installer().roll_back()


def test_a_return_to_a_slot_that_is_ill_too_changes_nothing(city: Repository, box: BoxUnderTest) -> None:
    publish(city, "two")
    box.update()
    (box.folder / "slots" / "a" / COMMAND).write_text("ill-first")
    with pytest.raises(TrialFailed):
        box.installer().roll_back()
    assert (box.runs(), report(box.slots)["refused"]) == ("two", [])


def test_there_is_nothing_to_return_to_on_a_new_box(box: BoxUnderTest) -> None:
    with pytest.raises(NothingToRollBackTo):
        box.installer().roll_back()


def test_a_folder_without_slots_is_told_so(box: BoxUnderTest) -> None:
    (box.folder / "current").unlink()
    with pytest.raises(SlotsMissing):
        box.update()


def test_two_updates_at_once_do_not_meet(box: BoxUnderTest) -> None:
    box.slots.updates.mkdir()
    with (box.slots.updates / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(InstallerBusy):
            box.update()


def test_a_release_that_keeps_restarting_the_box_is_taken_back_before_it_starts_again(
    city: Repository, box: BoxUnderTest
) -> None:
    publish(city, "two")
    box.disk = CutDisk(act=acts_until_current(city, box), moment="after")
    with pytest.raises(PowerCut):
        box.update()
    box.disk = Disk()
    assert [box.installer().recover() for _ in range(STARTS)] == [False] * (STARTS - 1) + [True]
    assert (box.runs(), box.update()) == ("first", "refused_before")


def acts_until_current(city: Repository, box: BoxUnderTest) -> int:
    """The number of the act that leads ``current`` to the new slot, found on another box of the same city."""
    twin = box_of(city, box.folder.with_name("twin"))
    twin.disk = disk = WatchedDisk()
    twin.update()
    return disk.links[1]  # good, current, good


class WatchedDisk(CutDisk):
    """Keeps the numbers of the acts that led a link elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[int] = []

    def link(self, name: Path, target: Path) -> None:
        """See Disk."""
        self.links.append(self.acts)
        super().link(name, target)


def acts_of(city: Repository, folder: Path, act: Callable[[BoxUnderTest], object]) -> int:
    """How many acts on the disk ``act`` takes."""
    box = box_of(city, folder)
    box.disk = disk = CutDisk()
    with suppress(TrialFailed):
        act(box)
    return disk.acts


@pytest.mark.parametrize("version", ["two", "ill-two"])
def test_power_cut_at_every_step_leaves_the_old_release_or_the_new_one(
    city: Repository, tmp_path: Path, version: str
) -> None:
    publish(city, version)
    acts = acts_of(city, tmp_path / "counted", lambda box: box.update())
    assert acts > 10
    final = "first" if version.startswith("ill") else version
    for act in range(acts):
        for moment in MOMENTS:
            box = box_of(city, tmp_path / f"{act}{moment}", CutDisk(act, moment))
            with pytest.raises(PowerCut):
                box.update()
            start_again(box)
            assert box.runs() in {"first", final}
            with suppress(TrialFailed):
                box.update()
            assert box.runs() == final


def test_power_cut_at_every_step_of_a_return_leaves_one_of_the_two(city: Repository, tmp_path: Path) -> None:
    publish(city, "two")

    def updated(name: str) -> BoxUnderTest:
        box = box_of(city, tmp_path / name)
        box.update()
        return box

    counted = updated("counted")
    counted.disk = disk = CutDisk()
    counted.installer().roll_back()
    for act in range(disk.acts):
        for moment in MOMENTS:
            box = updated(f"{act}{moment}")
            box.disk = CutDisk(act, moment)
            with pytest.raises(PowerCut):
                box.installer().roll_back()
            start_again(box)
            assert box.runs() in {"first", "two"}


CUTS = st.tuples(st.integers(0, 14), st.sampled_from(MOMENTS))
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("publish"), st.booleans()),
        st.tuples(st.sampled_from(["update", "return", "settle", "recover"]), st.none() | CUTS),
    ),
    max_size=12,
)


@settings(max_examples=40, deadline=None)
@given(STEPS)
def test_after_any_history_of_releases_and_power_cuts_a_healthy_one_runs(
    steps: list[tuple[str, bool | tuple[int, str] | None]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        city = publisher(Path(folder, "city"))
        box = box_of(city, Path(folder, "box"))
        for number, (step, detail) in enumerate(steps):
            if step == "publish":
                publish(city, f"{'good' if detail else 'ill'}-{number}")
                continue
            box.disk = CutDisk(*detail) if isinstance(detail, tuple) else Disk()
            with suppress(PowerCut, TrialFailed, NothingToRollBackTo, NoneForThisBox):
                take(box, step)
            assert box.runs()
        start_again(box)


def take(box: BoxUnderTest, step: str) -> None:
    installer = box.installer()
    acts: dict[str, Callable[[], object]] = {
        "update": box.update,
        "return": installer.roll_back,
        "settle": installer.settle,
        "recover": installer.recover,
    }
    acts[step]()
