"""Disposal: after a wipe the tokens are nowhere, not even in the blocks that held them."""

from __future__ import annotations

import subprocess
from datetime import datetime
from pathlib import Path

import psutil
import pytest
from click.testing import CliRunner

from device.clock import JST
from device.printer.raster import ReceiptRenderer
from provisioning.backup.errors import CannotWrite, StillInUse, WipeRefused
from provisioning.backup.record import Disposal, as_receipt, as_text
from provisioning.backup.wipe import Wiped, check_folder, check_unused, in_order, is_key, settings_of, wipe
from provisioning.cli import hiroba
from tests.provisioning.backup.conftest import TOKEN


def test_after_a_wipe_the_tokens_are_nowhere(box: Path, site_file: Path) -> None:
    wiped = wipe(box, [site_file])
    assert list(box.iterdir()) == []
    assert not site_file.exists()
    assert (wiped.keys, wiped.files) == (1, 5)


def beside(site_file: Path) -> dict[str, Path]:
    """Other files of ours in the settings' folder, by name."""
    files = [site_file.parent / "wifi" / name for name in ("hostapd-wlan0.conf", "dnsmasq-plaza.conf")]
    files += [site_file.parent / name for name in ("cityhall.toml", "fleet.toml", "site.toml.restored", "zz.env")]
    for path in files:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(TOKEN)
    return {path.name: path for path in files}


def test_passphrases_and_all_other_settings_go_too(box: Path, site_file: Path) -> None:
    laid = beside(site_file)
    assert is_key(laid["hostapd-wlan0.conf"])
    assert is_key(laid["cityhall.toml"])
    wiped = wipe(box, settings_of(site_file))
    assert [path for path in site_file.parent.rglob("*") if path.is_file()] == []
    assert (wiped.keys, wiped.files) == (1 + 3, 5 + 3)


def test_the_site_file_goes_last_so_that_a_wipe_can_be_begun_again(box: Path, site_file: Path) -> None:
    beside(site_file)
    assert settings_of(site_file)[-1] == site_file
    with pytest.raises(KeyboardInterrupt):
        wipe(box, settings_of(site_file), after_keys=_power_cut)
    assert site_file.exists()


def test_beside_a_site_file_in_somebody_s_own_folder_nothing_is_touched(tmp_path: Path) -> None:
    (tmp_path / "holiday.jpg").write_bytes(TOKEN)
    assert settings_of(tmp_path / "site.toml") == [tmp_path / "site.toml"]


def test_the_record_must_outlive_what_is_wiped(box: Path, site_file: Path) -> None:
    for folder in (box, site_file.parent):
        words = ["--config", str(site_file), "--state", str(box), "--record", str(folder / "erasure.txt")]
        result = CliRunner().invoke(hiroba, ["wipe", "--yes", *words])
        assert isinstance(result.exception, CannotWrite)
    assert (box / "portal/key").exists()


def test_the_very_blocks_are_overwritten_before_the_name_goes(box: Path, tmp_path: Path) -> None:
    # A file that is open keeps its inode when its name is gone: what it reads then is what stands on the medium.
    held = [path.open("rb", buffering=0) for path in box.rglob("*") if path.is_file()]
    assert all(TOKEN in file.read() for file in held)
    wipe(box)
    for file in held:
        file.seek(0)
        assert TOKEN not in file.read()
        file.close()


def test_keys_go_first(box: Path) -> None:
    seen: list[tuple[bool, bool]] = []
    wipe(box, after_keys=lambda: seen.append(((box / "portal/key").exists(), (box / "gate/sessions.db").exists())))
    assert seen == [(False, True)]


def test_a_key_is_known_by_name_or_by_its_first_line(tmp_path: Path) -> None:
    for name, body in (
        ("a.pem", b""),
        ("key", b"x"),
        ("odd", b"-----BEGIN " + b"PRIVATE KEY-----"),
        ("kiosk.db", b"SQLite"),
    ):
        (tmp_path / name).write_bytes(body)
    keys, rest = in_order(tmp_path.iterdir())
    assert [path.name for path in keys] == ["a.pem", "key", "odd"]
    assert [path.name for path in rest] == ["kiosk.db"]


def test_a_wipe_that_was_cut_off_is_ended_by_the_next(box: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        wipe(box, after_keys=_power_cut)
    assert wipe(box).keys == 0
    assert list(box.iterdir()) == []


def _power_cut() -> None:
    raise KeyboardInterrupt


def test_a_folder_that_is_no_state_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    for folder in (tmp_path, tmp_path / "missing", Path("/"), Path("/etc")):
        with pytest.raises(WipeRefused):
            check_folder(folder)


def test_a_state_that_a_process_has_open_is_refused(box: Path) -> None:
    check_unused(box)
    child = subprocess.Popen(["tail", "-f", str(box / "gate" / "sessions.db")], stdout=subprocess.DEVNULL)
    try:
        with pytest.raises(StillInUse):
            _until_open(box, child.pid)
    finally:
        child.kill()
        child.wait()


def _until_open(box: Path, pid: int) -> None:
    for _ in range(10_000):
        check_unused(box, lambda: [psutil.Process(pid)])


def test_the_record_says_box_time_and_what_and_can_be_printed() -> None:
    at = datetime(2026, 11, 23, 15, 4, 5, tzinfo=JST)
    disposal = Disposal(
        "A1B2",
        "TEST-box-1",
        "試験市",
        at,
        Wiped(3, 12, 345678),
        "mmcblk0p2",
        trimmed=True,
        place="鳥飼公民館",
        asset="R08-0004",
    )
    text = as_text(disposal)
    for word in (
        "TEST-box-1",
        "2026年11月23日 15時04分05秒",
        "鍵 3 件",
        "345,678",
        "mmcblk0p2",
        "抹消証明書",
        "立会者",
        "鳥飼公民館",
        "R08-0004",
    ):
        assert word in text
    assert ReceiptRenderer(576).render(as_receipt(disposal)).height > 400
