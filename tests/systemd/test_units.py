"""The units as text: how exposed each is (systemd-analyze security, offline), and what all of them must say."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from provisioning.storage.moving import MOUNT_UNIT, write_mount_unit

UNITS = Path(__file__).parents[2] / "systemd" / "system"
BARS = {
    "hiroba-kiosk.service": 12,
    "hiroba-issuer.service": 10,
    "hiroba-portal.service": 10,
    "hiroba-stats.service": 10,
    "hiroba-cityhall.service": 10,
    "hiroba-nginx@box.service": 12,
    "hiroba-gate.service": 20,
    "hiroba-dnsmasq@hall.service": 20,
    "hiroba-hostapd@wlan0.service": 20,
    "hiroba-browser-fresh.service": 10,
    "hiroba-heartbeat.service": 20,
    "hiroba-enrol-renew.service": 20,
    "hiroba-backup.service": 20,
    "hiroba-retention.service": 20,
    "hiroba-apply-recover.service": 20,
    "hiroba-storage.service": 30,
    "hiroba-disaster.service": 10,
    "hiroba-hostapd-disaster@wlan0.service": 20,
    "hiroba-cityhall-tidy.service": 10,
}
"""Unit -> the highest exposure in tenths: web 1.0, nginx and device 1.2, privileged 2.0."""
WITHOUT_BAR = {
    *("hiroba-kiosk-browser.service", "hiroba-storage-screen.service"),  # Chromium makes its sandbox of namespaces
    *("hiroba-update.service", "hiroba-recover.service", "hiroba-settle.service"),  # they exchange the system's units
}
SERVICES = sorted(UNITS.glob("hiroba-*.service"))


def analyze(*words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "SYSTEMD_UNIT_PATH": f"{UNITS}:", "SYSTEMD_COLORS": "0"}
    command = ["systemd-analyze", "--no-pager", *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.needs("systemd")
@pytest.mark.parametrize(("unit", "bar"), BARS.items())
def test_a_unit_is_no_more_exposed_than_its_bar(unit: str, bar: int) -> None:
    told = analyze("security", "--offline=true", f"--threshold={bar}", unit)
    assert told.returncode == 0, told.stdout[-400:] + told.stderr


def test_every_service_has_a_bar_or_is_named_as_one_without() -> None:
    assert {file.name for file in SERVICES} == {re.sub(r"@\w+", "@", unit) for unit in BARS} | WITHOUT_BAR


def test_no_unit_waits_for_a_network_to_be_online() -> None:
    assert [file.name for file in UNITS.rglob("*") if file.is_file() and "network-online" in file.read_text()] == []


def test_starting_again_never_gives_up() -> None:
    assert "StartLimitIntervalSec=0" in (UNITS / "hiroba-.service.d/10-all.conf").read_text()
    lasting = [file for file in SERVICES if "Type=oneshot" not in file.read_text()]
    assert [file.name for file in lasting if "Restart=always" not in file.read_text()] == []


def test_every_web_process_is_watched() -> None:
    web = [file for file in SERVICES if "/hiroba run" in file.read_text()]
    assert len(web) >= 6
    assert [file.name for file in web if not re.search(r"^WatchdogSec=[1-9]", file.read_text(), re.MULTILINE)] == []


def test_only_what_needs_one_has_a_capability() -> None:
    able = {file.name for file in SERVICES if re.search(r"^CapabilityBoundingSet=.", file.read_text(), re.MULTILINE)}
    radios = {"hiroba-hostapd@.service", "hiroba-hostapd-disaster@.service"}
    network = {"hiroba-gate.service", "hiroba-dnsmasq@.service", *radios}
    for_files = {f"hiroba-{name}.service" for name in ("heartbeat", "enrol-renew", "backup", "retention")}
    at_a_start = {"hiroba-apply-recover.service", "hiroba-storage.service"}
    browsers = {"hiroba-kiosk-browser.service", "hiroba-storage-screen.service"}
    assert able == network | for_files | at_a_start | WITHOUT_BAR - browsers
    gate = (UNITS / "hiroba-gate.service").read_text()
    assert re.findall(r"CAP_\w+", gate.split("\n# The one process", 1)[1]) == ["CAP_NET_ADMIN", "CAP_NET_ADMIN"]


def test_the_disaster_s_radio_is_its_twin_but_for_the_file_and_the_condition() -> None:
    usual, twin = ((UNITS / f"hiroba-hostapd{kind}@.service").read_text() for kind in ("", "-disaster"))
    kept = [
        line for line in usual.partition("[Service]")[2].partition("[Install]")[0].splitlines() if "/etc/" not in line
    ]
    assert [line for line in kept if line not in twin.splitlines()] == []
    assert "ConditionPathExists=!/var/lib/hiroba/gate/disaster" in usual
    assert "ConditionPathExists=/var/lib/hiroba/gate/disaster" in twin


def test_what_the_kernel_takes_from_the_interface_is_set_for_every_interface() -> None:
    text = (UNITS.parent / "sysctl.d/60-hiroba.conf").read_text()
    for name in ("rp_filter", "send_redirects"):
        assert re.findall(rf"^net\.ipv4\.conf\.(\S+)\.{name} = 0$", text, re.MULTILINE) == ["all", "default", "*"]


def test_units_of_one_folder_agree_on_its_rights() -> None:
    """The one that starts last sets them: a timer's unit that differs would shut nginx out of the socket in it."""
    said: dict[str, set[tuple[str, ...]]] = {}
    for file in SERVICES:
        told = dict(re.findall(r"^(\w+)=(.*)$", file.read_text(), re.MULTILINE))
        if "StateDirectory" in told:
            rights = tuple(told.get(name, "") for name in ("User", "Group", "StateDirectoryMode"))
            said.setdefault(told["StateDirectory"], set()).add(rights)
    assert {folder: rights for folder, rights in said.items() if len(rights) > 1} == {}


@pytest.mark.needs("systemd")
def test_the_mount_of_an_encrypted_state_waits_for_its_opening_without_a_cycle(tmp_path: Path) -> None:
    """systemd itself builds the order; it gives up neither the device nor the boot while the volume is shut."""
    write_mount_unit("hiroba_state", Path("/var/lib/hiroba"), tmp_path)
    assert "infinity" in (tmp_path / "dev-mapper-hiroba_state.device.d/hiroba.conf").read_text()
    environment = {**os.environ, "SYSTEMD_UNIT_PATH": f"{tmp_path}:{UNITS}:", "SYSTEMD_COLORS": "0"}
    words = [
        "systemd-analyze",
        "verify",
        MOUNT_UNIT,
        "hiroba-storage.service",
        "hiroba-kiosk.service",
        "multi-user.target",
    ]
    said = subprocess.run(words, env=environment, capture_output=True, text=True, check=False).stderr
    assert "cycle" not in said, said
    assert not [line for line in said.splitlines() if MOUNT_UNIT in line or "storage.conf" in line], said
