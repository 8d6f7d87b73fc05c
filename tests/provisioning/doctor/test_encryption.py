"""Whether the state is encrypted, by the kernel's own words, and what is said about a register in a plaza."""

from __future__ import annotations

from pathlib import Path

import pytest

from device.health.finding import Severity
from provisioning.doctor.checks.encryption import device_of, is_encrypted, judge

MOUNTS = """22 1 8:2 / / rw,relatime - ext4 /dev/sda2 rw
40 22 254:0 / /var/lib/hiroba rw - ext4 /dev/mapper/hiroba-state rw
41 22 0:30 / /var/lib/hiroba\\040old rw - tmpfs none rw
"""


@pytest.mark.parametrize(
    ("path", "device"),
    [("/var/lib/hiroba/kiosk", "254:0"), ("/var/lib/hiroba old/x", "0:30"), ("/var/lib/other", "8:2"), ("/", "8:2")],
)
def test_the_innermost_mount_holds_a_path(path: str, device: str) -> None:
    assert device_of(Path(path), MOUNTS) == device
    assert device_of(Path(path), "") == ""


def test_dm_crypt_is_seen_at_any_depth(tmp_path: Path) -> None:
    def block(device: str, uuid: str = "", below: str = "") -> None:
        (tmp_path / device / "dm").mkdir(parents=True)
        (tmp_path / device / "dm" / "uuid").write_text(uuid)
        (tmp_path / device / "slaves").mkdir()
        if below:
            (tmp_path / device / "slaves" / below).symlink_to(tmp_path / below)

    block("254:0", "CRYPT-LUKS2-0123-hiroba-state")
    block("254:1", "LVM-xyz", "254:0")
    block("254:2", "LVM-abc")
    (tmp_path / "8:2").mkdir()
    found = [is_encrypted(device, tmp_path) for device in ("254:0", "254:1", "254:2", "8:2", "0:30", "")]
    assert found == [True, True, False, False, None, None]


@pytest.mark.parametrize(
    ("encrypted", "register", "plaza", "lone", "codes"),
    [
        (True, False, True, False, ["encryption.on"]),
        (False, False, True, False, ["encryption.off"]),
        (False, True, False, False, ["encryption.register_readable"]),
        (False, True, True, True, ["encryption.register_readable", "encryption.lone"]),
        (True, True, True, True, ["encryption.on", "encryption.lone"]),
        (True, True, True, False, ["encryption.on", "encryption.register_undeclared"]),
        (None, False, True, False, ["encryption.unknown"]),
    ],
)
def test_what_is_told(*, encrypted: bool | None, register: bool, plaza: bool, lone: bool, codes: list[str]) -> None:
    found = judge(encrypted, register=register, plaza=plaza, lone=lone)
    assert [one.code for one in found] == codes
    assert all(one.severity is not Severity.OK for one in found if one.code not in ("encryption.on",))
