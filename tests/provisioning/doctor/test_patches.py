"""The age of the operating system's packages."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from device.health.readers import packages_changed_days
from provisioning.doctor.checks.patches import judge


@pytest.mark.parametrize(
    ("days", "code"),
    [(None, "patches.of_other_system"), (0, "patches.fine"), (30, "patches.fine"), (31, "patches.old")],
)
def test_a_month_without_a_new_package_is_a_warning(days: int | None, code: str) -> None:
    assert judge(days).code == code


def test_the_age_is_that_of_the_package_list(tmp_path: Path) -> None:
    status = tmp_path / "status"
    assert packages_changed_days(status) is None
    status.touch()
    os.utime(status, (time.time() - 40 * 86400,) * 2)
    assert packages_changed_days(status) == 40
    os.utime(status, (time.time() + 86400,) * 2)
    assert packages_changed_days(status) == 0
