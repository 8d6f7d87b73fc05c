"""The doctor on a box where nothing runs: it says so, all of it, and nothing personal."""

from __future__ import annotations

import json
import socket
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.serialization import Encoding

from device.clock import JST, HeldClock
from device.health.finding import Severity
from provisioning.commands.doctor import command
from provisioning.doctor.checks.credentials import credential as found_credential
from provisioning.doctor.examination import examine, problem_codes
from provisioning.site.reading import read_site
from tests.provisioning.doctor.credentials import credential

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=JST)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    with socket.socket() as line:
        line.bind(("127.0.0.1", 0))
        port = line.getsockname()[1]
    path = tmp_path / "site.toml"
    path.write_text(
        '[box]\nname = "TEST-1"\n[city]\nname_ja = "試験市"\nname_en = "TEST"\ntelephone = "06-0000-0000"\n'
        f'[kiosk]\nport = {port}\n[issuer_link]\nurl = "http://127.0.0.1:{port}"\n[receipt_printer]\nport = {port}\n'
        f'[page_printer]\nuri = "ipp://127.0.0.1:{port}/ipp/print"\n'
    )
    (tmp_path / "state").mkdir()
    return path


def test_what_does_not_run_is_said_and_ends_with_1(config: Path, tmp_path: Path) -> None:
    run = CliRunner().invoke(command, ["--json", "--config", str(config), "--state", str(tmp_path / "state")])
    found = {entry["code"]: entry["severity"] for entry in json.loads(run.output)}
    assert run.exit_code == 1
    for code in ("kiosk.silent", "issuer.unreachable", "page_printer.silent", "receipt_printer.silent"):
        assert found[code] == "error"
    assert found["disk.writes"] == "ok"
    assert "doctor.check_failed" not in found


def test_a_check_that_breaks_is_an_error_and_the_others_go_on(config: Path, tmp_path: Path) -> None:
    (tmp_path / "state" / "kiosk").mkdir()
    (tmp_path / "state" / "kiosk" / "kiosk.db").write_bytes(b"not a database at all, but long enough to be read")
    found = examine(read_site(config), tmp_path / "state", HeldClock(NOON))
    codes = {finding.code: finding for finding in found}
    assert codes["doctor.check_failed"].facts == {"check": "kiosk", "reason": "DatabaseError"}
    assert codes["database.damaged"].facts == {"file": "kiosk.db"}
    assert "disk.space" in codes


def test_the_heartbeat_s_codes_are_problems_only(config: Path, tmp_path: Path) -> None:
    codes = problem_codes(read_site(config), tmp_path / "state", HeldClock(NOON))
    assert "issuer.unreachable" in codes
    assert "disk.writes" not in codes


@pytest.mark.parametrize(
    ("start", "end", "code"),
    [(-10, 200, "credential.valid"), (-100, 2, "credential.expires_soon"), (-100, -1, "credential.expired"),
     (1, 100, "credential.not_yet_valid")],
)  # fmt: skip
def test_a_credential_is_judged_by_its_dates(tmp_path: Path, start: int, end: int, code: str) -> None:
    made = credential(NOON + timedelta(days=start), NOON + timedelta(days=end))
    (tmp_path / "c.pem").write_bytes(made.public_bytes(Encoding.PEM))
    (tmp_path / "c.der").write_bytes(made.public_bytes(Encoding.DER))
    assert found_credential("box", tmp_path / "c.pem", NOON).code == code
    assert found_credential("box", tmp_path / "c.der", NOON).code == code


def test_a_credential_that_is_missing_is_an_error(tmp_path: Path) -> None:
    assert found_credential("box", tmp_path / "none.pem", NOON).severity is Severity.ERROR
