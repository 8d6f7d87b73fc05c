"""What cannot start ends once: its message, exit code 1, and nothing that tries again for ever."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from device.loopback import free_ports
from device.process_lock import take_process_lock
from tests.journeys.conftest import need, run_hiroba

SITE = """[box]
name = "t-1"
lone = true
[city]
name_ja = "試験市"
name_en = "Test City"
telephone = "06-0000-0000"
[kiosk]
port = {0}
[issuer]
port = {1}
mayor = "試験市長　見本　太郎"
municipality_code = "27999"
[wifi.portal]
host = "127.0.0.1"
port = {2}
[wifi.stats]
port = {3}
[[wifi.spots]]
name = "hall"
title_ja = "市民ホール"
title_en = "Civic Hall"
interface = "br-lan"
uplink = "eth0"
ipv4 = {{ gateway = "10.90.0.1", prefix = 22 }}
dhcp = {{ first = "10.90.0.10", last = "10.90.3.250", lease_seconds = 1800 }}
ssids = [{{ ssid = "TEST_Free_Wi-Fi", interface = "hap-none0" }}]
"""
CITY_HALL = (
    '[cityhall]\ncity_name = "TEST City"\nnames = ["localhost"]\nstaff_port = {0}\nenrol_port = {1}\nbox_port = {2}\n'
)
DATABASES = {
    "kiosk": "kiosk/kiosk.db",
    "issuer": "issuer/ledger.db",
    "portal": "portal/portal.db",
    "stats": "stats/stats.db",
}
FOLDERS = {**{name: name for name in DATABASES}, "gate": "gate", "cityhall": "fleet"}
"""Process -> its folder below the state folder."""


def config(folder: Path, process: str) -> list[str]:
    """Options for ``process`` on free ports, with its state under ``folder``."""
    ports = free_ports(4)
    file = folder / "site.toml"
    file.write_text((CITY_HALL if process == "cityhall" else SITE).format(*ports), "utf-8")
    return ["--config", str(file), "--state", str(folder)]


def ended(*words: str) -> str:
    """What ``hiroba words…`` said, which ended by itself with exit code 1."""
    run = run_hiroba(*words)
    assert run.returncode == 1, run.stdout + run.stderr
    assert "Traceback" not in run.stderr
    return run.stderr


@pytest.mark.parametrize("process", DATABASES)
def test_a_process_whose_database_is_damaged_says_so_once_and_ends(tmp_path: Path, process: str) -> None:
    damaged = tmp_path / DATABASES[process]
    damaged.parent.mkdir()
    damaged.write_bytes(b"SQLite format 3\0" + b"\xff" * 4096)
    assert ended("run", process, *config(tmp_path, process)).count(f"データベース {damaged.name} を開けません") == 1


def test_several_workers_say_once_why_none_of_them_can_start(tmp_path: Path) -> None:
    said = ended("run", "issuer", "--workers", "4", *config(tmp_path, "issuer"))  # there is no folder of trusted CAs
    assert said.count("trust") == 2, said  # in Japanese and in English


@pytest.mark.parametrize("process", FOLDERS)
def test_a_second_process_on_the_same_state_folder_ends_with_one_clear_message(tmp_path: Path, process: str) -> None:
    held = take_process_lock(tmp_path / FOLDERS[process], process)
    said = ended("run", process, *config(tmp_path, process))
    os.close(held)
    assert f"{process} はすでに動いています（プロセス {os.getpid()}）" in said
    assert "runs already" in said


def test_a_demo_whose_kiosk_cannot_start_says_why_and_ends(tmp_path: Path) -> None:
    need("root", "pcscd", "vpcd")
    (tmp_path / "kiosk").mkdir()
    (tmp_path / "kiosk" / "kiosk.db").write_bytes(b"SQLite format 3\0" + b"\xff" * 4096)
    run = run_hiroba("demo", "--state", str(tmp_path), "--port", str(free_ports(1)[0]))
    assert (run.returncode, run.stdout) == (1, "")
    assert "kiosk が始まりませんでした" in run.stderr
    assert "データベース kiosk.db を開けません" in run.stderr
