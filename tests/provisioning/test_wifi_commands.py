"""hiroba wifi, disaster and voucher, against a gate on a real unix socket."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from captive_portal.gate.protocol import PhoneState
from captive_portal.portal.languages import LANGUAGES
from captive_portal.portal.login.voucher import parse_code
from device.clock import JST
from device.printer.memory_printer import MemoryReceiptPrinter
from device.printer.status import Condition, ReceiptLine
from provisioning.backup.errors import FileExists
from provisioning.commands.voucher import VOUCHERS, print_slips
from tests.captive_portal.gate.served import served
from tests.provisioning.wifi_box import WifiBox, make_box

MAC = "02:00:5e:10:00:01"


@pytest.fixture
def box(tmp_path: Path) -> Iterator[WifiBox]:
    made = make_box(tmp_path, login=["one_tap", "voucher"])
    with served(made.gate, made.socket):
        yield made


def test_online_lists_sessions_without_addresses(box: WifiBox) -> None:
    session = box.log_in(1).session
    box.gate.traffic("10.90.0.11", 1_500_000, 250_000_000)
    output = box.run("wifi", "online").output
    assert session in output
    assert "ワンタップ" in output
    assert "1.5" in output
    assert "250" in output
    assert MAC not in output
    assert "10.90.0.11" not in output


def test_online_shows_the_mac_when_asked(box: WifiBox) -> None:
    box.log_in(1)
    assert MAC in box.run("wifi", "online", "--mac").output


def test_online_as_json_has_the_same_facts(box: WifiBox) -> None:
    session = box.log_in(1).session
    (shown,) = json.loads(box.run("wifi", "online", "--json").output)
    assert (shown["session"], shown["spot"], shown["method"]) == (session, "hall", "one_tap")
    assert 3500 < shown["seconds_left"] <= 3600
    assert not {"mac", "ip"} & shown.keys()


def test_online_of_another_spot_is_empty(box: WifiBox) -> None:
    box.log_in(1)
    assert json.loads(box.run("wifi", "online", "--spot", "park", "--json").output) == []


def test_show_tells_one_session(box: WifiBox) -> None:
    session = box.log_in(1).session
    assert json.loads(box.run("wifi", "show", session, "--json").output)["session"] == session
    assert "02:00" not in box.run("wifi", "show", session).output


def test_an_unknown_session_is_one_clear_error(box: WifiBox) -> None:
    assert [box.fails("wifi", verb, "nobody").code for verb in ("show", "end", "block")] == ["not_found"] * 3


def test_end_closes_the_phone_and_lets_it_come_back(box: WifiBox) -> None:
    session = box.log_in(1).session
    box.run("wifi", "end", session)
    assert not box.gate.passes("10.90.0.11")
    assert box.log_in(1).session != session


def test_a_blocked_phone_stays_out_until_unblocked(box: WifiBox) -> None:
    box.run("wifi", "block", box.log_in(1).session)
    assert box.gate.lookup("10.90.0.11").state is PhoneState.BLOCKED
    box.run("wifi", "unblock", typed="02-00-5E-10-00-01\n")
    assert box.gate.lookup("10.90.0.11").state is not PhoneState.BLOCKED


def test_unblocking_a_phone_that_is_not_blocked_says_so(box: WifiBox) -> None:
    result = box.run("wifi", "unblock", typed="02:00:5e:10:00:77\n", ok=False)
    assert getattr(result.exception, "code", "") == "not_found"


def test_blocked_lists_each_bar_by_number_and_unblock_takes_it(box: WifiBox) -> None:
    for number in (1, 2):
        box.run("wifi", "block", box.log_in(number).session)
    first, second = json.loads(box.run("wifi", "blocked", "--json").output)
    shown = box.run("wifi", "blocked").output
    assert (first["spot"], "mac" in first, MAC in shown) == ("hall", False, False)
    assert all(word in shown for word in ("ブロック中 2 台", first["block"], second["block"], "hall"))
    assert MAC in box.run("wifi", "blocked", "--mac").output
    box.run("wifi", "unblock", first["block"])
    assert box.gate.lookup("10.90.0.11").state is not PhoneState.BLOCKED
    assert box.gate.lookup("10.90.0.12").state is PhoneState.BLOCKED


def test_unblocking_an_unknown_number_or_number_and_all_is_refused(box: WifiBox) -> None:
    assert box.fails("wifi", "unblock", "0badf00d").code == "not_found"
    assert box.run("wifi", "unblock", "0badf00d", "--all", ok=False).exit_code == 2


def test_unblock_all_lifts_every_block(box: WifiBox) -> None:
    for number in (1, 2):
        box.run("wifi", "block", box.log_in(number).session)
    assert json.loads(box.run("wifi", "unblock", "--all", "--json").output) == {"count": 2}


def test_a_gate_that_does_not_run_is_one_clear_error(tmp_path: Path) -> None:
    box = make_box(tmp_path)
    for words in (["wifi", "online"], ["disaster", "status"]):
        assert box.fails(*words).code == "gate.unreachable"


def test_disaster_goes_on_and_off(box: WifiBox) -> None:
    box.gate.arrive("10.90.0.20", MAC)
    until = (datetime.now(JST) + timedelta(hours=6)).replace(microsecond=0)
    box.run("disaster", "on", "--reason", "大雨", "--until", until.isoformat())
    assert box.gate.passes("10.90.0.20")
    status = json.loads(box.run("disaster", "status", "--json").output)
    assert status == {"on": True, "reason": "大雨", "drill": False, "until": until.isoformat()}
    box.run("disaster", "off")
    assert not box.gate.passes("10.90.0.20")
    assert "切" in box.run("disaster", "status").output


def test_a_drill_is_called_a_drill(box: WifiBox) -> None:
    until = (datetime.now(JST) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M")
    output = box.run("disaster", "on", "--reason", "訓練", "--until", until, "--drill").output
    assert "訓練 / drill" in output
    assert box.gate.disaster().drill


@pytest.mark.parametrize("until", ["2020-01-01T00:00", "tomorrow", "2026-13-01"])
def test_a_disaster_needs_a_moment_to_come(box: WifiBox, until: str) -> None:
    assert box.run("disaster", "on", "--reason", "x", "--until", until, ok=False).exit_code == 2
    assert not box.gate.disaster().on


@pytest.mark.parametrize("reason", ["", "   ", "x" * 201, "大雨\n避難", "\x1b[2J"])
def test_a_disasters_reason_is_one_line_that_fits_the_page(box: WifiBox, reason: str) -> None:
    until = (datetime.now(JST) + timedelta(hours=1)).isoformat()
    assert box.run("disaster", "on", "--reason", reason, "--until", until, ok=False).exit_code == 2
    assert not box.gate.disaster().on


def test_vouchers_go_to_a_file_only_its_owner_can_read(box: WifiBox, tmp_path: Path) -> None:
    out = tmp_path / "codes.txt"
    output = box.run("voucher", "make", "--count", "3", "--minutes", "30", "--out", str(out)).output
    codes = out.read_text("utf-8").split()
    assert [parse_code(code) is not None for code in codes] == [True] * 3
    assert out.stat().st_mode & 0o777 == 0o600
    assert not any(code in output for code in codes)


def test_a_sheet_of_vouchers_is_a_page_that_loads_nothing(box: WifiBox, tmp_path: Path) -> None:
    out = tmp_path / "voucher_sheet.html"
    box.run("voucher", "make", "--count", "22", "--minutes", "30", "--out", str(out))
    page = out.read_text("utf-8")
    assert page.count("<article>") == 22
    assert "市民ホール" in page
    assert "http" not in page


def test_a_sheet_that_is_there_is_not_lost_and_no_vouchers_are_made(box: WifiBox, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.html"
    sheet.write_text("codes of another batch", "utf-8")
    assert isinstance(box.run("voucher", "make", "--count", "2", "--out", str(sheet), ok=False).exception, FileExists)
    assert sheet.read_text("utf-8") == "codes of another batch"
    assert not (box.state / VOUCHERS).exists()


def test_codes_that_cannot_be_written_are_told(box: WifiBox, tmp_path: Path) -> None:
    lost = tmp_path / "none" / "codes.txt"
    failed = box.run("voucher", "make", "--count", "2", "--out", str(lost), "--json", ok=False)
    assert isinstance(failed.exception, FileNotFoundError)
    assert len(json.loads(failed.output)["codes"]) == 2


def test_vouchers_without_a_file_are_told_once(box: WifiBox) -> None:
    told = json.loads(box.run("voucher", "make", "--count", "2", "--json").output)
    assert told["count"] == len(set(told["codes"])) == 2
    assert not [f for f in box.state.rglob("*") if f.is_file() and told["codes"][0].encode() in f.read_bytes()]


def test_a_batch_is_listed_and_called_back(box: WifiBox) -> None:
    batch = json.loads(box.run("voucher", "make", "--count", "2", "--minutes", "30", "--json").output)["batch"]
    (listed,) = json.loads(box.run("voucher", "list", "--json").output)
    assert (listed["batch"], listed["made"], listed["used"], listed["minutes"]) == (batch, 2, 0, 30)
    assert batch in box.run("voucher", "list").output
    assert "2 枚" in box.run("voucher", "call-back", batch).output
    assert json.loads(box.run("voucher", "list", "--json").stdout) == []
    assert box.fails("voucher", "call-back", batch).code == "not_found"


def test_vouchers_that_no_spot_would_take_are_not_made(tmp_path: Path) -> None:
    box = make_box(tmp_path)
    assert box.fails("voucher", "make", "--count", "2").code == "voucher.not_taken"
    assert not box.state.exists()


def test_a_form_of_file_that_is_not_known_is_refused_before_there_are_codes(box: WifiBox) -> None:
    assert box.run("voucher", "make", "--count", "2", "--out", "codes.pdf", ok=False).exit_code == 2
    assert json.loads(box.run("voucher", "list", "--json").stdout) == []


@pytest.mark.needs("bizud", "noto")
@pytest.mark.parametrize("words", [("--receipt",), ("--out", "voucher_sheet.html")])
def test_a_name_that_no_font_can_write_is_refused_before_there_are_codes(
    box: WifiBox, words: tuple[str, ...], tmp_path: Path
) -> None:
    text = box.config.read_text("utf-8")
    box.config.write_text(text.replace('title_ja = "', 'title_ja = "\U0001f389'), "utf-8")
    assert box.config.read_text("utf-8") != text
    words = tuple(str(tmp_path / word) if word.endswith(".html") else word for word in words)
    result = box.run("voucher", "make", "--count", "2", *words, ok=False)
    assert (result.exit_code, "U+1F389" in result.output) == (2, True)
    assert json.loads(box.run("voucher", "list", "--json").stdout) == []


@pytest.mark.needs("bizud", "noto")
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_sheet_in_any_language_is_written_for_its_owner_alone(box: WifiBox, language: str, tmp_path: Path) -> None:
    file = tmp_path / "voucher_sheet.html"
    box.run("voucher", "make", "--count", "2", "--out", str(file), "--lang", language)
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.read_text("utf-8").count("@font-face") >= 3


def test_a_printer_that_stops_leaves_the_other_vouchers_to_tell() -> None:
    printer, slips = MemoryReceiptPrinter(), [(ReceiptLine(str(n)),) for n in range(3)]
    assert print_slips(printer, slips) == 3
    printer.fail_midway(Condition.PAPER_OUT)
    assert print_slips(printer, slips) == 0
    assert len(printer.receipts) == 3
