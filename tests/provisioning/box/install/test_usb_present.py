"""What of the devices that are plugged in at the first installation is let in for good."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from provisioning.box.install.usb_present import mounted_ports, trusted
from provisioning.box.render.usb import RULES, rules
from provisioning.site.reading import read_site
from tests.net.unpacked import unpacked

pytestmark = pytest.mark.attacks
READER = 'allow id 04e6:5816 serial "5312" name "TEST reader" with-interface 0b:00:00 via-port "1-1.1"'
ADAPTER = 'allow id 0bda:8153 serial "" name "TEST LAN" with-interface { ff:ff:00 02:06:00 } via-port "1-1.2"'
STICK = 'allow id 0781:5581 serial "77" name "TEST stick" with-interface 08:06:50 via-port "1-1.3"'
KEYBOARD = 'allow id 046d:c31c serial "" name "TEST keys" with-interface { 03:01:01 03:00:00 } via-port "1-1.4"'
DISK = 'allow id 152d:0583 serial "99" name "TEST disk" with-interface { 08:06:50 08:06:62 } via-port "2-1"'
GADGET = 'allow id 1d6b:0104 serial "1" name "TEST gadget" with-interface { 0b:00:00 08:06:50 } via-port "1-2"'
GENERATED = "\n".join([READER, ADAPTER, STICK, KEYBOARD, DISK, GADGET, ""])
SITE = """
[box]
name = "TEST-plaza-1"
[city]
name_ja = "試験市"
name_en = "TEST City"
telephone = "06-0000-0000"
[usb]
allow = ["1234:abcd"]
keyboards = {keyboards}
"""


def test_a_stick_a_keyboard_and_a_reader_that_is_also_a_stick_are_not_let_in_though_they_were_there() -> None:
    kept = "\n".join(trusted(GENERATED, (), keyboards=False))
    assert [name for name in ("stick", "keys", "disk", "gadget") if f"TEST {name}" in kept] == []


def test_a_device_with_a_serial_number_may_move_to_another_port_and_one_without_keeps_its_own() -> None:
    assert trusted(GENERATED, (), keyboards=False) == [READER.replace(' via-port "1-1.1"', ""), ADAPTER]


def test_the_disk_that_the_system_runs_from_and_wanted_keyboards_are_let_in() -> None:
    kept = "\n".join(trusted(GENERATED, {"2-1"}, keyboards=True))
    assert "TEST disk" in kept
    assert "TEST keys" in kept
    assert "TEST stick" not in kept


def test_the_ports_of_mounted_disks_come_from_where_the_kernel_has_them(tmp_path: Path) -> None:
    block, device = tmp_path / "class/block", tmp_path / "devices/pci/usb2/2-1/2-1:1.0/host0/block/sdq/sdq1"
    device.mkdir(parents=True)
    block.mkdir(parents=True)
    (block / "sdq1").symlink_to(device)
    mounts = "/dev/sdq1 / ext4 rw 0 0\nproc /proc proc rw 0 0\n/dev/mmcblk0p1 /boot vfat rw 0 0\n"
    assert mounted_ports(mounts, block) == {"2-1"}


@pytest.mark.needs("apt")
@pytest.mark.parametrize("keyboards", ["true", "false"])
def test_usbguard_s_own_parser_reads_every_rule_of_ours(tmp_path: Path, keyboards: str) -> None:
    (tmp_path / "site.toml").write_text(SITE.format(keyboards=keyboards), "utf-8")
    site = read_site(tmp_path / "site.toml")
    text = rules(site)[RULES].text + "\n".join(trusted(GENERATED, {"2-1"}, keyboards=True)) + "\n"
    (tmp_path / "rules.conf").write_text(text, "utf-8")
    usbguard = unpacked("usbguard")  # never installed here: it would shut this machine's own devices out
    command = [usbguard.program("usbguard-rule-parser"), "-f", str(tmp_path / "rules.conf")]
    done = subprocess.run(command, env=usbguard.environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    read = [line for line in done.stdout.splitlines() if line.startswith("OUTPUT: allow")]
    assert len(read) == len([line for line in text.splitlines() if line.startswith("allow")])
    assert [line for line in read if ("03:01:" in line) and "TEST" not in line and keyboards == "false"] == []
