"""What goes wrong on the command line is one clear message in Japanese and English, exit code 1, and no traceback."""

from __future__ import annotations

import errno
import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from device.errors import StoreError
from device.sender import LineDown
from provisioning.errors import FileTrouble
from provisioning.messages import explain, reasons
from tests.journeys.conftest import run_hiroba

SETTSU = Path(__file__).parents[2] / "provisioning/examples/settsu.toml"

SITE = """[box]
name = "t-1"
[city]
name_ja = "摂津市"
name_en = "Settsu City"
telephone = "06-0000-0000"
"""


def site(folder: Path, text: str) -> str:
    file = folder / "site.toml"
    file.write_text(text, "utf-8")
    return str(file)


def failed(*arguments: str) -> str:
    """What the command said on its way to exit code 1."""
    run = run_hiroba(*arguments)
    assert run.returncode == 1, run.stdout + run.stderr
    assert "Traceback" not in run.stderr
    return run.stderr


BARE_C = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}


@pytest.mark.parametrize(
    "environment", [BARE_C, {"LC_ALL": "C"}, *({"PYTHONIOENCODING": name} for name in ("latin-1", "euc_jp", "cp932"))]
)
@pytest.mark.parametrize("name", [b"\xff.toml", "設定①☃.toml".encode()])
def test_a_name_that_the_terminal_cannot_write_ends_no_command(name: bytes, environment: dict[str, str]) -> None:
    command = [sys.executable, "-m", "provisioning", "site", "check", os.fsdecode(name)]
    run = subprocess.run(command, capture_output=True, env={**os.environ, **environment}, check=False)
    assert (run.returncode, b"Traceback" in run.stderr) == (1, False)
    assert b"mistakes: 1" in run.stdout + run.stderr


def test_an_unknown_key_names_file_line_and_key(tmp_path: Path) -> None:
    said = failed("run", "kiosk", "--config", site(tmp_path, SITE + "[kiosk]\nprot = 1\n"), "--state", str(tmp_path))
    assert "site.toml の 8 行目（kiosk.prot）" in said
    assert "line 8, key kiosk.prot" in said


def test_a_settings_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    said = failed("run", "issuer", "--config", str(tmp_path / "none.toml"), "--state", str(tmp_path))
    assert "none.toml" in said


@pytest.mark.parametrize(("process", "section"), [("issuer", "issuer"), ("portal", "wifi"), ("gate", "wifi")])
def test_a_section_that_a_process_needs_is_named(tmp_path: Path, process: str, section: str) -> None:
    said = failed("run", process, "--config", site(tmp_path, SITE), "--state", str(tmp_path))
    assert f"[{section}]" in said


def test_a_taken_port_is_told_with_its_number(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        config = site(tmp_path, SITE + f"[kiosk]\nport = {port}\n")
        said = failed("run", "kiosk", "--config", config, "--state", str(tmp_path))
    assert str(port) in said
    assert "使用中" in said


def test_a_damaged_database_is_told(tmp_path: Path) -> None:
    (tmp_path / "kiosk").mkdir()
    (tmp_path / "kiosk" / "kiosk.db").write_bytes(b"SQLite format 3\0" + b"\xff" * 4096)
    said = failed("journal", "list", "--state", str(tmp_path))
    assert "kiosk.db" in said


def test_a_request_that_is_not_in_the_journal_is_told(tmp_path: Path) -> None:
    assert "no-such" in failed("journal", "show", "no-such", "--state", str(tmp_path))


def test_wrong_use_is_exit_code_two() -> None:
    assert run_hiroba("run", "kitchen").returncode == 2
    assert run_hiroba("virtual", "card", "slow", "fast").returncode == 2


def test_every_command_that_help_lists_can_be_asked_for_help() -> None:
    listed = run_hiroba("--help").stdout.split("Commands:")[1]
    names = [line.split()[0] for line in listed.splitlines() if line.startswith("  ") and line[2] != " "]
    assert {"demo", "journal", "register", "run", "test", "virtual"} <= set(names)
    assert [name for name in names if run_hiroba(name, "--help").returncode != 0] == []


def test_a_settings_file_that_is_not_there_is_told_without_a_line() -> None:
    said = failed("site", "check", "/nowhere/city.toml")
    assert "ファイルがありません" in said
    assert "there is no such file" in said
    assert " 0 行目" not in said


def test_a_command_that_says_no_to_a_program_says_so_by_its_exit_code(tmp_path: Path) -> None:
    run = run_hiroba("site", "check", "--json", site(tmp_path, SITE.replace("name_ja", "nama_ja")))
    assert (run.returncode, json.loads(run.stdout)["ok"]) == (1, False)


def test_a_folder_that_can_not_be_made_is_told_without_a_traceback(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    said = failed("site", "render", "--config", str(SETTSU), "--out", str(tmp_path / "file" / "out"))
    assert "名前と場所を確かめてください" in said


def test_a_reason_in_a_program_s_words_is_told_in_people_s() -> None:
    japanese, english = explain(LineDown(reason="server_not_trusted")).split("\n\n")
    assert "時計のずれ" in japanese
    assert "clock" in english
    assert "server_not_trusted" not in japanese + english
    assert "status_599" in explain(LineDown(reason="status_599"))


def test_a_reason_with_the_number_and_the_file_of_the_system_is_told_in_people_s_words() -> None:
    for reason in (str(OSError(errno.EROFS, "Read-only file system", "/srv/a: 'b'")), "Read-only file system"):
        assert "読み取り専用です" in explain(StoreError(file="a.db", reason=reason)).split("\n\n")[0]
        assert "Errno" not in explain(StoreError(file="a.db", reason=reason))


@pytest.mark.parametrize("number", ["99999999", "65536", "-1"])
def test_a_number_that_is_no_port_is_told(tmp_path: Path, number: str) -> None:
    named = site(tmp_path, SITE + f"[kiosk]\nport = {number}\n")
    assert number in failed("run", "kiosk", "--config", named, "--state", str(tmp_path / "s"))


def test_a_service_that_is_none_is_told_once(tmp_path: Path) -> None:
    named = site(tmp_path, SITE + '[kiosk]\nservices = ["plasa"]\n')
    said = failed("run", "kiosk", "--config", named, "--state", str(tmp_path / "s"))
    assert said.startswith("plasa というサービスはありません。")
    assert "certificates, plaza" in said


def test_every_reason_is_told_in_both_languages() -> None:
    for code, said in reasons()["ja"].sentences.items():
        assert re.search(r"[ぁ-んァ-ン一-龠]", said), code
        assert reasons()["en"].sentence(code).isascii(), code


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.ENOENT, errno.EIO])
def test_trouble_with_a_file_is_told_in_both_languages(number: int) -> None:
    said = explain(FileTrouble(OSError(number, "said by the system", "/media/stick")))
    japanese, english = said.split("\n\n")
    assert "/media/stick" in japanese
    assert "/media/stick" in english
    assert "続けられません" not in japanese, "a code without words"
