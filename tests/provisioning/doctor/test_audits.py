"""What the doctor says of audits; and which heads a box keeps."""

from __future__ import annotations

from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest

from device.audit import AUDIT_MIGRATIONS, Audit
from device.audit_chain import ChainEnd
from device.clock import JST, HeldClock
from device.store import Store
from provisioning.doctor.audits import HEADS_FILE, Judged, Verdict, judge, keep_heads, known_heads
from provisioning.doctor.checks import audits

HEAD = "a" * 64


@pytest.mark.parametrize("verdict", [Verdict.BROKEN, Verdict.SHORTENED, Verdict.REPLACED, Verdict.MISSING])
def test_each_thing_that_is_wrong_is_an_error(verdict: Verdict) -> None:
    (found,) = audits.judge([Judged("kiosk", verdict, 3), Judged("gate", Verdict.WHOLE, 1)])
    assert (found.code, found.severity.value) == (f"audit.{verdict}", "error")


def test_what_could_not_be_compared_is_said(tmp_path: Path) -> None:
    (found,) = audits.judge([Judged("kiosk", Verdict.NOT_COMPARED, 3), Judged("gate", Verdict.WHOLE, 1)])
    assert (found.code, found.facts) == ("audit.whole", {"count": 2, "compared": 1})


@pytest.mark.parametrize("content", ["", "[]", '{"kiosk": 1}', '{"kiosk": ["x", "y"]}', "null"])
def test_a_file_of_heads_that_is_none_compares_nothing(tmp_path: Path, content: str) -> None:
    (tmp_path / HEADS_FILE).parent.mkdir()
    (tmp_path / HEADS_FILE).write_text(content)
    assert known_heads(tmp_path) == {}


def test_heads_are_written_when_they_went_on_a_good_deal_or_changed(tmp_path: Path) -> None:
    (tmp_path / HEADS_FILE).parent.mkdir()
    for lines, kept in ((10, 10), (11, 10), (509, 10), (510, 510), (4, 4)):
        keep_heads(tmp_path, {"kiosk": ChainEnd(lines, HEAD)})
        assert known_heads(tmp_path)["kiosk"].lines == kept
    keep_heads(tmp_path, {"kiosk": ChainEnd(9, "../../etc")})
    assert known_heads(tmp_path) == {}


def test_the_newest_lines_alone_are_walked_when_that_is_asked(tmp_path: Path) -> None:
    file = tmp_path / "kiosk.db"
    with closing(Store(file, AUDIT_MIGRATIONS)) as store:
        audit = Audit(store, HeldClock(datetime(2026, 4, 1, tzinfo=JST)))
        for _ in range(9):
            audit.record("kiosk_reopened")
        with store.transaction() as connection:
            connection.execute("UPDATE audit SET at = '' WHERE sequence = 3")
    assert [judge("kiosk", file, None, newest).verdict for newest in (4, None)] == [
        *(Verdict.NOT_COMPARED, Verdict.BROKEN)
    ]
