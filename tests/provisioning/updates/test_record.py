"""What an update came to is told in the audit, and the box goes on when the audit takes no line."""

from __future__ import annotations

import io
import json
from pathlib import Path

from device.audit import AUDIT_MIGRATIONS, Audit
from device.clock import SystemClock
from device.logs import open_log
from device.store import Store
from provisioning.updates.errors import BundleError, BundleUnsigned, SourceUnreachable, TrialFailed
from provisioning.updates.record import AUDIT_FILE, Record
from provisioning.updates.slots import Slots
from provisioning.updates.steps import Step

KEPT: dict[str, str | int] = {"release": 3, "version": "0.3", "slot": "b"}


def lines(state: Path) -> list[tuple[str, dict[str, object]]]:
    return [
        (line.event, line.facts) for line in Audit(Store(state / AUDIT_FILE, AUDIT_MIGRATIONS), SystemClock()).lines()
    ]


def record(folder: Path, log: io.StringIO | None = None) -> Record:
    return Record(Slots(folder / "opt"), folder / "state", SystemClock(), open_log("update", log or io.StringIO()))


def test_a_kept_release_stands_in_the_audit_and_is_what_staff_are_shown(tmp_path: Path) -> None:
    record(tmp_path).tell("update_kept", {**KEPT})
    last = Slots(tmp_path / "opt").last()
    assert last is not None
    assert (last.event, last.facts) == ("update_kept", KEPT)
    assert lines(tmp_path / "state") == [("update_kept", KEPT)]


def test_a_refusal_is_told_once_with_its_code_and_no_more(tmp_path: Path) -> None:
    errors: list[BundleError] = [
        BundleUnsigned(source="https://updates.example.jp"),
        TrialFailed(),
        SourceUnreachable(),
    ]
    for error in errors:
        record(tmp_path).refused(error)
    assert lines(tmp_path / "state") == [("update_refused", {"code": "bundle.unsigned"})]


def test_a_refusal_is_forgotten_by_staff_when_the_source_is_well_again_and_never_by_the_audit(tmp_path: Path) -> None:
    record(tmp_path).refused(BundleUnsigned())
    record(tmp_path).well()
    assert Slots(tmp_path / "opt").last() is None
    assert len(lines(tmp_path / "state")) == 1
    record(tmp_path).tell("update_taken_back", {"release": 3, "slot": "b", "reason": "x"})
    record(tmp_path).well()
    assert Slots(tmp_path / "opt").last() is not None


def test_an_audit_that_can_not_be_written_does_not_hold_the_box_on_an_ill_release(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file where a folder should be")
    log = io.StringIO()
    record(tmp_path, log).tell("update_taken_back", {"release": 3, "slot": "b", "reason": "x"})
    events = [json.loads(line)["event"] for line in log.getvalue().splitlines()]
    assert events == ["update_taken_back", "update_not_noted"]


def test_each_step_is_a_line_of_the_journal(tmp_path: Path) -> None:
    log = io.StringIO()
    record(tmp_path, log).step(Step.SWITCH)
    assert json.loads(log.getvalue())["step"] == "switch"
