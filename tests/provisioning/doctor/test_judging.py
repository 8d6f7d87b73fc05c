"""What each check makes of a reading."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.health.finding import Severity
from device.health.readers import Space, Unit
from provisioning.doctor.checks import (
    backup,
    clock,
    credentials,
    disk,
    dns,
    heat,
    kernel,
    power,
    rtc,
    swap,
    units,
    uplink,
    usb,
    watchdog,
    wifi,
)

GIB = 1 << 30


@pytest.mark.parametrize(
    ("free", "inodes_free", "code"),
    [(20 * GIB, 900, "disk.space"), (2 * GIB, 900, "disk.nearly_full"), (20 * GIB, 50, "disk.nearly_full"),
     (50 << 20, 900, "disk.full"), (20 * GIB, 1, "disk.full")],
)  # fmt: skip
def test_room_is_judged_by_bytes_and_by_inodes(free: int, inodes_free: int, code: str) -> None:
    assert disk.judge_space(Space(32 * GIB, free, 1000, inodes_free)).code == code


@pytest.mark.parametrize(
    ("flags", "code"),
    [(0, "power.steady"), (0x1, "power.under_voltage_now"), (0x50005, "power.under_voltage_now"),
     (0x50000, "power.under_voltage_before"), (0x4, "power.throttled"), (0x80000, "power.throttled")],
)  # fmt: skip
def test_the_pi_s_flags_are_read_bit_by_bit(flags: int, code: str) -> None:
    assert power.judge(flags).code == code


def test_what_can_not_be_read_is_never_ok() -> None:
    unread = [
        power.judge(None), heat.judge(None), disk.judge_wear(None, None), disk.judge_file_system(None),
        clock.judge(None, 2026, 2026),
        rtc.judge(None), dns.judge(None), credentials.judge("box", None, 0),
        backup.judge(None, wanted=True), uplink.judge(0, needed=False), swap.judge(None),
    ]  # fmt: skip
    assert not [finding for finding in unread if finding.severity is Severity.OK]


@given(st.floats(-40, 150), st.floats(-40, 150))
def test_hotter_is_never_judged_better(one: float, other: float) -> None:
    order = [Severity.OK, Severity.WARNING, Severity.ERROR]
    low, high = sorted((one, other))
    assert order.index(heat.judge(low).severity) <= order.index(heat.judge(high).severity)


@given(st.integers(-100, 800), st.integers(1, 800))
def test_a_credential_that_is_over_is_an_error_and_a_fresh_one_is_not(left: int, life: int) -> None:
    found = credentials.judge("box", left, life).severity
    assert (found is Severity.ERROR) == (left < 0)


def test_a_thirty_day_credential_is_warned_about_only_when_its_renewal_at_two_thirds_failed() -> None:
    assert credentials.judge("box", 10, 30).code == "credential.valid"
    assert credentials.judge("box", 5, 30).code == "credential.expires_soon"


@pytest.mark.parametrize(
    ("hours", "code"), [(1, "backup.fresh"), (36, "backup.fresh"), (37, "backup.old"), (169, "backup.too_old")]
)
def test_the_age_of_the_last_back_up(hours: float, code: str) -> None:
    assert backup.judge(hours, wanted=True).code == code


def test_a_unit_that_runs_once_may_rest_and_a_failed_one_may_not() -> None:
    assert units.judge(Unit("a.service", "inactive", True, 0)).severity is Severity.OK
    assert units.judge(Unit("a.service", "inactive", False, 0)).code == "unit.stopped"
    assert units.judge(Unit("a.service", "failed", True, 0)).code == "unit.failed"


def test_a_free_running_clock_is_a_warning_and_last_year_an_error() -> None:
    assert clock.judge(False, 2026, 2026).severity is Severity.WARNING
    assert clock.judge(True, 2025, 2026).code == "clock.wrong"


def test_what_belongs_to_the_machine_under_a_container_is_not_judged_and_says_which() -> None:
    found = [
        clock.judge(False, 2026, 2026, container="systemd-nspawn"),
        rtc.judge(None, container="systemd-nspawn"),
        watchdog.judge(there=False, pinged=False, container="systemd-nspawn"),
    ]
    assert {(one.severity, one.facts["container"]) for one in found} == {(Severity.NOT_APPLICABLE, "systemd-nspawn")}
    assert clock.judge(False, 2025, 2026, container="systemd-nspawn").code == "clock.wrong"


def test_a_board_that_could_tell_and_does_not_is_warned_about() -> None:
    silent = [power.judge(None, board_tells=True), heat.judge(None, board_tells=True)]
    assert [one.severity for one in silent] == [Severity.WARNING, Severity.WARNING]


@pytest.mark.parametrize(
    ("there", "pinged", "code"),
    [(False, False, "watchdog.missing"), (True, False, "watchdog.not_armed"), (True, True, "watchdog.armed")],
)
def test_a_watchdog_counts_only_when_somebody_pings_it(there: bool, pinged: bool, code: str) -> None:
    assert watchdog.judge(there=there, pinged=pinged).code == code


def test_each_kernel_setting_that_is_wrong_is_named_and_the_others_are_counted() -> None:
    seen = [
        kernel.Setting("a", 0, 0), kernel.Setting("b", 0, 2), kernel.Setting("c", 1024, 4096, at_least=True),
        kernel.Setting("d", 1, None), kernel.Setting("e", 1, None, optional=True),
    ]  # fmt: skip
    found = {(one.code, one.facts.get("setting", one.facts.get("count"))) for one in kernel.judge(seen)}
    wrong = {("kernel.setting_wrong", "b"), ("kernel.setting_wrong", "d")}
    assert found == wrong | {("kernel.setting_not_here", "e"), ("kernel.settings", 2)}


def test_an_old_generation_of_a_ca_is_no_fault_beside_a_new_one() -> None:
    assert credentials.superseded(credentials.judge("trust-1", -3, 400)).code == "credential.superseded"
    assert credentials.superseded(credentials.judge("trust-1", 300, 400)).code == "credential.valid"


@pytest.mark.parametrize(
    ("nginx", "portal", "codes"),
    [
        (True, True, ["wifi.portal_answers"]),
        (True, False, ["wifi.portal_silent"]),
        (False, True, ["wifi.nginx_silent"]),
        (False, False, ["wifi.nginx_silent", "wifi.portal_silent"]),
    ],
)
def test_nginx_and_the_portal_behind_it_are_told_apart(nginx: bool, portal: bool, codes: list[str]) -> None:
    found = wifi.judge_portal(nginx_answers=nginx, portal_answers=portal)
    assert [finding.code for finding in found] == codes


def test_swap_on_a_bare_disk_is_told_and_swap_that_is_encrypted_or_missing_is_fine() -> None:
    found = [swap.judge(["/dev/sda2"], 2), swap.judge([], 1), swap.judge([], 0)]
    assert [(one.code, one.severity) for one in found] == [
        ("swap.readable", Severity.WARNING), ("swap.encrypted", Severity.OK), ("swap.off", Severity.OK),
    ]  # fmt: skip


def test_an_open_usb_port_is_told_whether_it_is_wished_or_not() -> None:
    codes = {
        (wanted, active): usb.judge(wanted=wanted, active=active).code
        for wanted in (False, True)
        for active in (False, True)
    }
    assert codes == {(0, 0): "usb.open", (0, 1): "usb.open", (1, 0): "usb.guard_missing", (1, 1): "usb.guarded"}
