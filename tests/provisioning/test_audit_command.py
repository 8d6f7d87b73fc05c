"""hiroba audit verify: words in both languages, and an exit code for each end."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from device.audit import AUDIT_MIGRATIONS, Audit
from device.audit_chain import ChainEnd
from device.clock import SystemClock
from device.store import Store
from provisioning.cli import hiroba
from provisioning.doctor.audits import keep_heads

SITE = '[box]\nname = "t-1"\n[city]\nname_ja = "試験市"\nname_en = "TEST"\ntelephone = "06-0000-0000"\n'


@pytest.fixture
def box(tmp_path: Path) -> Path:
    (tmp_path / "site.toml").write_text(SITE, "utf-8")
    (tmp_path / "enrolment").mkdir()
    with closing(Store(tmp_path / "kiosk" / "kiosk.db", AUDIT_MIGRATIONS)) as store:
        audit = Audit(store, SystemClock())
        for _ in range(3):
            audit.record("kiosk_reopened")
        keep_heads(tmp_path, {"kiosk": ChainEnd(3, audit.verify())})
    return tmp_path


def verify(box: Path) -> tuple[int, str]:
    words = ["audit", "verify", "--config", str(box / "site.toml"), "--state", str(box)]
    done = CliRunner().invoke(hiroba, words)
    return done.exit_code, done.output


def test_a_whole_audit_that_city_hall_has_as_well(box: Path) -> None:
    code, said = verify(box)
    assert code == 0
    assert "つながっています" in said
    assert "whole" in said


def test_a_whole_audit_that_nothing_can_be_compared_with(box: Path) -> None:
    (box / "enrolment" / "audit-heads.json").unlink()
    assert verify(box)[0] == 3


@pytest.mark.parametrize(
    ("sql", "word"),
    [
        ("UPDATE audit SET at = '2020' WHERE sequence = 2", "does not fit"),
        ("DELETE FROM audit WHERE sequence = 3", "shorter"),
        ("DROP TABLE audit", "does not fit"),
    ],
)
def test_a_changed_audit(box: Path, sql: str, word: str) -> None:
    with closing(sqlite3.connect(box / "kiosk" / "kiosk.db")) as connection, connection:
        connection.execute(sql)
    code, said = verify(box)
    assert code == 1
    assert word in said


def test_an_audit_that_is_gone(box: Path) -> None:
    (box / "kiosk" / "kiosk.db").unlink()
    code, said = verify(box)
    assert (code, "gone" in said) == (1, True)


def test_city_hall_s_own_audit(tmp_path: Path) -> None:
    config = tmp_path / "hall.toml"
    config.write_text('[cityhall]\nnames = ["localhost"]\n')
    where = ["--config", str(config), "--state", str(tmp_path)]
    made = CliRunner().invoke(hiroba, ["cityhall", "code", "--box", "t-1", *where])
    assert made.exit_code == 0, made.output
    assert CliRunner().invoke(hiroba, ["audit", "verify", *where]).exit_code == 3
    with closing(sqlite3.connect(tmp_path / "fleet" / "fleet.db")) as connection, connection:
        connection.execute("UPDATE staff_audit SET facts = '{}'")
    assert CliRunner().invoke(hiroba, ["audit", "verify", *where]).exit_code == 1
