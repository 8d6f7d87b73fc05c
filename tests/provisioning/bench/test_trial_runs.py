"""Every bench runs in tiny sizes and reports its rows; no figure is judged here."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from provisioning.bench.benches import run
from provisioning.bench.network_lab import address_of, leases
from provisioning.bench.rows import BARS, Row
from provisioning.bench.visitors import login_form
from provisioning.commands.bench import command

UNMEASURED = {"issue.over_weasyprint", "box.written_mb_per_day"}
"""Rows that may have no value anywhere: the note says why."""


def measured(name: str) -> list[Row]:
    return judged(name, run(name, trial=True))


def judged(name: str, rows: list[Row]) -> list[Row]:
    assert [row.name for row in rows] == list(BARS[name])
    for row in rows:
        assert row.value is not None or (row.name in UNMEASURED and row.note), row
    return rows


@pytest.mark.needs("root", "pcscd", "vpcd", "opensc")
def test_the_card_is_measured_beside_opensc(tmp_path: Path) -> None:
    # libpcsclite finds its service once for a process, and this one may have another already
    file = tmp_path / "card.json"
    subprocess.run([sys.executable, "-m", "provisioning", "bench", "card", "--trial", "--json", str(file)], check=True)
    rows = msgspec.convert(json.loads(file.read_text())["rows"], list[Row])
    assert all(row.peer_value for row in judged("card", rows) if row.peer)


def test_pages_are_issued_and_measured() -> None:
    measured("issue")


def test_receipts_and_jobs_are_measured() -> None:
    assert all(row.peer_value for row in measured("print") if row.peer)


def test_the_statistics_are_measured_beside_plain_sql() -> None:
    measured("stats")


@pytest.mark.needs("root", "nft", "ip", "nginx", "wrk")
def test_the_wifi_is_measured() -> None:
    success = next(row for row in measured("wifi") if row.name == "wifi.login_success")
    assert success.holds


@pytest.mark.needs("root", "nft", "ip")
def test_a_box_is_started_and_measured() -> None:
    measured("boot")


def test_the_kiosk_is_measured_and_the_command_writes_a_table_and_a_file(tmp_path: Path) -> None:
    file = tmp_path / "bench.json"
    done = CliRunner().invoke(command, ["kiosk", "--trial", "--json", str(file)])
    assert done.exit_code == 0, done.output
    assert "kiosk.screen_ms" in done.output
    judged("kiosk", msgspec.convert(json.loads(file.read_text())["rows"], list[Row]))


def test_a_bench_nobody_knows_is_wrong_use() -> None:
    assert CliRunner().invoke(command, ["dishes"]).exit_code == 2


def test_ten_thousand_phones_have_ten_thousand_addresses_and_leases() -> None:
    assert len({address_of(number) for number in range(10_000)}) == 10_000
    assert len(leases(range(10_000)).splitlines()) == 10_000


def test_the_form_that_logs_in_is_found_among_others() -> None:
    page = """<form method="get" action="/lang"><input name="lang" value="ja"></form>
    <form method="post" action="/login" data-action="login"><input type="hidden" name="token" value="a&amp;b">
    <input type="submit" name="go" value="x"></form>"""
    form = login_form(page, "http://10.90.0.1:8180/?d=android")
    assert form is not None
    assert (form.action, form.method, form.fields) == ("http://10.90.0.1:8180/login", "post", {"token": "a&b"})


def test_a_page_without_a_form_leads_nowhere() -> None:
    assert login_form("<p>closed</p>", "http://10.90.0.1/") is None
