"""``hiroba apply`` on a booted box: twice changes nothing, what changed starts anew, it goes back by itself
and after a power cut."""

from __future__ import annotations

import json
import random
import re
import time

import pytest

from tests.boot.container import Container

pytestmark = [pytest.mark.needs("root", "mmdebstrap", "systemd-nspawn"), pytest.mark.timeout(900)]

SITE = "etc/hiroba/site.toml"
NEW = "/root/new.toml"
UNDO = "var/lib/hiroba/apply/undo.json"


def apply(box: Container, *words: str) -> dict[str, list[str]]:
    told: dict[str, list[str]] = json.loads(
        box.run("hiroba", "apply", "--yes", "--json", "--seconds", "180", *words, seconds=240)
    )
    return told


def changed(box: Container, old: str, new: str) -> str:
    """A site file with ``old`` made ``new``, on the box; the text that stands there now."""
    text = (box.root / SITE).read_text("utf-8")
    assert old in text
    (box.root / NEW.lstrip("/")).write_text(text.replace(old, new, 1), "utf-8")
    return text


def started(box: Container, unit: str) -> str:
    return box.show(unit, "InvocationID")["InvocationID"]


@pytest.fixture(autouse=True)
def applied(box: Container) -> None:
    """The box as its own site file wants it."""
    apply(box)


def test_applying_twice_changes_nothing_the_second_time(box: Container, units: list[str]) -> None:
    before = {unit: started(box, unit) for unit in units}
    assert apply(box)["planned"] == []
    assert {unit: started(box, unit) for unit in units} == before
    assert [unit for unit in units if not box.active(unit)] == []
    assert box.run("systemctl", "--failed", "--plain", "--no-legend").strip() == ""


def test_only_the_kiosk_starts_anew_when_only_the_kiosk_changes(box: Container, units: list[str]) -> None:
    text = changed(box, 'closes = "00:00"', 'closes = "00:00"\nidle_seconds = 50')
    before = {unit: started(box, unit) for unit in units}
    assert apply(box, "--config", NEW)["changed"] == [SITE]
    assert {unit for unit in units if started(box, unit) != before[unit]} == {"hiroba-kiosk.service"}
    (box.root / NEW.lstrip("/")).write_text(text, "utf-8")
    apply(box, "--config", NEW)
    assert (box.root / SITE).read_text("utf-8") == text


def test_a_change_that_the_kiosk_does_not_survive_is_taken_back(box: Container) -> None:
    text = changed(box, "[kiosk]\n", "[kiosk]\nport = 9100\n")  # the virtual receipt printer has it
    said = box.run("sh", "-c", f"hiroba apply --yes --seconds 15 --config {NEW} 2>&1; echo $?")
    assert "hiroba-kiosk.service" in said
    assert said.rstrip().endswith("1")
    assert (box.root / SITE).read_text("utf-8") == text
    box.until("the kiosk is back", lambda: box.active("hiroba-kiosk.service"))
    box.run("systemctl", "reset-failed")  # the counts of restarts are others' to read


def cut(box: Container) -> None:
    """Pull the plug, plug it in again, wait for everything."""
    box.power_cut()
    box.start()
    box.until("hiroba.target", lambda: box.active("hiroba.target"))
    box.until("the kiosk", lambda: box.active("hiroba-kiosk.service"))


def test_a_power_cut_in_mid_apply_is_taken_back_before_anything_starts(box: Container, units: list[str]) -> None:
    text = changed(box, "[kiosk]\n", "[kiosk]\nport = 9100\n")  # it waits for a kiosk that cannot start
    going = box.begin("hiroba", "apply", "--yes", "--config", NEW)
    box.until("the new file stands", lambda: (box.root / SITE).read_text("utf-8") != text)
    cut(box)
    going.wait(30)
    assert (box.root / SITE).read_text("utf-8") == text
    assert not (box.root / UNDO).exists()
    moments = (
        ("hiroba-apply-recover.service", "InactiveEnterTimestampMonotonic"),
        (
            "hiroba-kiosk.service",
            "InactiveExitTimestampMonotonic",
        ),
    )
    recovered, started_kiosk = (int(box.show(unit, name)[name]) for unit, name in moments)
    assert 0 < recovered <= started_kiosk
    box.until("all units", lambda: all(box.active(unit) for unit in units))


@pytest.mark.parametrize("rounds", [2, pytest.param(40, marks=pytest.mark.long)])
def test_whenever_an_apply_is_cut_the_box_is_all_old_or_all_new(box: Container, rounds: int) -> None:
    chance = random.Random(rounds)
    for number in range(rounds):
        text = (box.root / SITE).read_text("utf-8")
        new = re.sub(r"closes = .*(\nidle_seconds = \d+)?", f'closes = "00:00"\nidle_seconds = {50 + number}', text)
        (box.root / NEW.lstrip("/")).write_text(new, "utf-8")
        going = box.begin("hiroba", "apply", "--yes", "--config", NEW)
        box.until("it has begun", (box.root / UNDO).exists, 30)
        time.sleep(chance.uniform(0.0, 3.0))
        cut(box)
        going.wait(30)
        assert (box.root / SITE).read_text("utf-8") in (text, new)
        assert not (box.root / UNDO).exists()
        assert apply(box)["planned"] == []  # every other file is as this site file wants it
