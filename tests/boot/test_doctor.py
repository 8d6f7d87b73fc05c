"""``hiroba doctor`` on a booted box where everything is live: nothing to complain of, and each thing that is stopped or
set wrongly is named with its cause and the next step.
"""

from __future__ import annotations

import json
from typing import NamedTuple

import pytest

from tests.boot.container import Container

pytestmark = [pytest.mark.needs("root", "mmdebstrap", "systemd-nspawn"), pytest.mark.timeout(900)]

NOT_IN_A_CONTAINER = {
    "usb.of_host",
    "swap.of_host",
    "encryption.unknown",
    *("clock.of_host", "rtc.of_host", "watchdog.of_host"),  # systemd told which container it is in
    *("power.unknown", "heat.unknown", "disk.wear_unknown", "disk.errors_unknown", "kernel.setting_not_here"),
}
STOPPED = {
    "hiroba-kiosk.service": "kiosk.silent",
    "hiroba-issuer.service": "issuer.unreachable",
    "hiroba-gate.service": "wifi.gate_unreachable",
    "hiroba-portal.service": "wifi.portal_silent",
    "hiroba-nginx@box.service": "wifi.nginx_silent",
    "hiroba-nginx@cityhall.service": "unit.stopped",
    "hiroba-stats.service": "unit.stopped",
    "hiroba-dnsmasq@hall.service": "unit.stopped",
    "hiroba-cityhall.service": "unit.stopped",
    "hiroba-heartbeat.timer": "unit.stopped",
    "hiroba-backup.timer": "unit.stopped",
    "test-receipt-printer.service": "receipt_printer.silent",
    "test-page-printer.service": "page_printer.silent",
    "test-names.service": "dns.silent",
}
"""Unit -> what the doctor says when it alone is stopped."""

OF_ITS_SITE = {"encryption.lone", "revocation.none", "register.no_second_person"}
"""What the doctor rightly says of this box's site file as it stands (site.toml): a register in a plaza, nobody asked
whether a card was revoked, one person alone at the register.
"""


class Told(NamedTuple):
    """One finding."""

    code: str
    severity: str
    facts: dict[str, object]


def examine(box: Container) -> list[Told]:
    """What the doctor says."""
    return [Told(**found) for found in json.loads(box.run("hiroba", "doctor", "--json", check=False))]


def codes(found: list[Told], severity: str) -> set[str]:
    """Those of one severity."""
    return {one.code for one in found if one.severity == severity}


def facts(found: list[Told], code: str) -> dict[str, object]:
    """Of the only finding with ``code``."""
    (only,) = [one.facts for one in found if one.code == code]
    return only


def test_a_live_box_is_clean_and_what_can_not_be_here_is_said(enrolled: Container) -> None:
    enrolled.run("systemctl", "start", "hiroba-backup.service")
    found = examine(enrolled)
    assert codes(found, "warning") | codes(found, "error") == OF_ITS_SITE
    assert codes(found, "not_applicable") - {"credential.superseded"} <= NOT_IN_A_CONTAINER
    assert facts(found, "clock.of_host") == {"container": "systemd-nspawn"}
    enrolled.run("hiroba", "doctor")  # exit code 0


def test_all_that_is_stopped_is_named_at_once(enrolled: Container) -> None:
    units = [*STOPPED, "pcscd.socket", "pcscd.service"]
    enrolled.run("systemctl", "stop", *units)
    found = examine(enrolled)
    enrolled.run("systemctl", "start", *[unit for unit in units if unit != "pcscd.service"], "test-card.service")
    assert codes(found, "error") >= {*STOPPED.values(), "reader.service_down"}
    named = {one.facts["unit"] for one in found if one.code == "unit.stopped"}
    assert named == {unit for unit in STOPPED if unit.startswith("hiroba-")}
    enrolled.until("all is well again", lambda: not codes(examine(enrolled), "error"))


@pytest.mark.long
@pytest.mark.parametrize(("unit", "code"), STOPPED.items())
def test_what_is_stopped_alone_is_named_with_the_next_step(enrolled: Container, unit: str, code: str) -> None:
    enrolled.run("systemctl", "stop", unit)
    found = examine(enrolled)
    text = enrolled.run("hiroba", "doctor", check=False)
    enrolled.run("systemctl", "start", unit)
    assert code in codes(found, "error")
    assert code != "unit.stopped" or facts(found, code)["unit"] == unit
    assert text.startswith("×")
    assert "次に：" in text
    enrolled.until("it is back", lambda: enrolled.active(unit))


def test_a_kernel_setting_that_would_drop_the_phones_packets_is_named_and_mended(enrolled: Container) -> None:
    enrolled.run("sysctl", "-qw", "net.ipv4.conf.up0.rp_filter=2")
    wrong = facts(examine(enrolled), "kernel.setting_wrong")
    assert wrong == {"setting": "net.ipv4.conf.up0.rp_filter", "wanted": 0, "found": 2}
    enrolled.run("systemctl", "restart", "systemd-sysctl.service")  # the step that the doctor names
    assert codes(examine(enrolled), "error") == set()
