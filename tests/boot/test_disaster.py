"""Disaster mode changes the radio's network names by units: the gate's word, the path unit, the twin with 00000JAPAN.

A container has no radio, so the two radio units are the shipped ones with a stand-in for hostapd and without the wait
for a device; everything else is real: `hiroba apply` renders, enables and starts them, `hiroba disaster` switches.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from device.clock import JST
from tests.boot.container import Container

pytestmark = [pytest.mark.needs("root", "mmdebstrap", "systemd-nspawn"), pytest.mark.timeout(900)]

SITE = "etc/hiroba/site.toml"
NEW = "/root/radio.toml"
USUAL, TWIN = "hiroba-hostapd@radio0.service", "hiroba-hostapd-disaster@radio0.service"
STAND_IN = """cd /usr/local/lib/systemd/system
for unit in hiroba-hostapd@.service hiroba-hostapd-disaster@.service; do
  sed -e '/^BindsTo=/d' -e 's/^After=sys[^ ]* /After=/' -e 's!^ExecStart=.*!ExecStart=/bin/sleep infinity!' \\
    "$unit" > "/run/systemd/system/$unit"
done
systemctl daemon-reload
"""


def apply(box: Container, text: str) -> None:
    (box.root / NEW.lstrip("/")).write_text(text, "utf-8")
    box.run("hiroba", "apply", "--yes", "--seconds", "180", "--config", NEW, seconds=240)


def ssid(text: str, name: str) -> str:
    """The site file with an open network name on radio0."""
    spot = 'uplink = "up0"\n'
    assert spot in text
    return text.replace(spot, f'{spot}ssids = [{{ ssid = "{name}", interface = "radio0" }}]\n', 1)


@pytest.fixture(scope="module")
def radio(box: Container) -> Iterator[tuple[Container, str]]:
    """The box with a radio, and the site file that it had."""
    text = (box.root / SITE).read_text("utf-8")
    box.run("sh", "-c", STAND_IN)
    apply(box, ssid(text, "TEST-hall"))
    yield box, text
    apply(box, text)
    box.run("sh", "-c", "rm /run/systemd/system/hiroba-hostapd*; systemctl daemon-reload")


def has_the_radio(box: Container, unit: str) -> None:
    other = TWIN if unit == USUAL else USUAL
    box.until(f"{unit} has the radio", lambda: box.active(unit) and not box.active(other), 60)


def on(box: Container, *words: str) -> None:
    until = (datetime.now(JST) + timedelta(hours=1)).isoformat(timespec="seconds")
    box.run("hiroba", "disaster", "on", "--reason", "TEST", "--until", until, *words)


def test_a_disaster_gives_the_radio_to_the_twin_and_its_end_gives_it_back(radio: tuple[Container, str]) -> None:
    box, text = radio
    has_the_radio(box, USUAL)
    on(box)
    has_the_radio(box, TWIN)
    assert "00000JAPAN" in (box.root / "etc/hiroba/wifi/hostapd-radio0.disaster.conf").read_text("utf-8")
    apply(box, ssid(text, "TEST-other"))  # settings may change meanwhile; the twin keeps the radio
    has_the_radio(box, TWIN)
    box.run("hiroba", "disaster", "off")
    has_the_radio(box, USUAL)


def test_a_disaster_outlasts_a_power_cut_and_a_drill_changes_no_radio(radio: tuple[Container, str]) -> None:
    box, _ = radio
    on(box)
    has_the_radio(box, TWIN)
    box.power_cut()
    box.start()
    box.run("sh", "-c", STAND_IN)  # /run is new
    box.until("hiroba.target", lambda: box.active("hiroba.target"))
    box.run("systemctl", "restart", "hiroba-disaster.service")
    has_the_radio(box, TWIN)
    box.run("hiroba", "disaster", "off")
    has_the_radio(box, USUAL)
    on(box, "--drill")
    box.run("systemctl", "start", "hiroba-disaster.service")
    has_the_radio(box, USUAL)
    box.run("hiroba", "disaster", "off")
