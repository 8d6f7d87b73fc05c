"""The doctor tells what became of updates."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from device.health.finding import Severity
from provisioning.doctor.checks.updates import check
from provisioning.doctor.examined_box import ExaminedBox
from provisioning.site.model import Site
from provisioning.site.reading import read_site
from provisioning.updates.slots import LastUpdate, Slots
from tests.provisioning.updates.city import clock_at

ROOT = Path(__file__).parents[3]
CLOCK = clock_at("2026-11-23")


@pytest.fixture
def slots(tmp_path: Path) -> Slots:
    (tmp_path / "slots/a").mkdir(parents=True)
    (tmp_path / "current").symlink_to("slots/a")
    (tmp_path / "updates/trust").mkdir(parents=True)
    return Slots(tmp_path)


def site(tmp_path: Path, source: str = "https://updates.example.jp") -> Site:
    file = tmp_path / "site.toml"
    text = (ROOT / "tests/boot/site.toml").read_text("utf-8")
    file.write_text(f'{text}\n[updates]\nsource = "{source}"\n', "utf-8")
    return read_site(file)


def box(folder: Path, source: str = "https://updates.example.jp") -> ExaminedBox:
    return ExaminedBox(site(folder, source), folder, CLOCK, None)


def told(slots: Slots, source: str = "https://updates.example.jp") -> list[str]:
    return [finding.code for finding in check(box(slots.folder, source), slots.folder)]


def test_a_box_that_was_never_updated_is_well(slots: Slots) -> None:
    assert told(slots) == ["update.running"]


def test_a_machine_without_slots_is_not_judged(tmp_path: Path) -> None:
    (finding,) = check(box(tmp_path), tmp_path / "nowhere")
    assert (finding.code, finding.severity) == ("update.no_slots", Severity.NOT_APPLICABLE)


def test_a_trial_is_told_while_it_is_open(slots: Slots) -> None:
    trial = slots.open_trial("b")
    assert told(slots) == ["update.on_trial"]
    slots.keep(trial)
    slots.end()
    assert told(slots) == ["update.running"]


@pytest.mark.parametrize(
    ("last", "code"),
    [
        (LastUpdate(event="update_kept", at="", facts={"release": 2}), "update.running"),
        (LastUpdate(event="update_taken_back", at="", facts={"release": 2, "reason": "x"}), "update.taken_back"),
        (LastUpdate(event="update_refused", at="", facts={"code": "bundle.unsigned"}), "update.refused"),
    ],
)
def test_the_last_update_is_told_as_it_ended(slots: Slots, last: LastUpdate, code: str) -> None:
    slots.note(last)
    assert told(slots) == [code]


def test_a_source_that_has_been_silent_for_a_week_is_told(slots: Slots) -> None:
    (slots.updates / "trust/seen").write_text((CLOCK.now() - timedelta(days=7)).isoformat())
    assert told(slots) == ["update.source_silent"]
    assert told(slots, source="") == ["update.running"]
    (slots.updates / "trust/seen").write_text((CLOCK.now() - timedelta(days=6)).isoformat())
    assert told(slots) == ["update.running"]
