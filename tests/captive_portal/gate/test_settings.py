"""The [wifi] section: what is wrong in it is told by file, line and key."""

from __future__ import annotations

from pathlib import Path

import pytest

from captive_portal.settings import WifiSettings
from device.errors import SettingsError
from device.settings import Section, parse


class Site(Section, frozen=True, kw_only=True):
    """A site file with Wi-Fi alone."""

    wifi: WifiSettings


GOOD = """
[[wifi.spots]]
name = "hall"
interface = "br-lan"
uplink = "eth0"
ipv4 = { gateway = "10.90.0.1", prefix = 22 }
"""


def test_a_short_site_has_sensible_defaults() -> None:
    wifi = parse(GOOD, Site, Path("site.toml")).wifi
    spot = wifi.spot("hall")
    assert (spot.ipv6.mode, spot.login, spot.limits.minutes_per_visit) == ("off", ["one_tap"], 60)
    assert spot.ipv6.reason


@pytest.mark.parametrize(
    "line",
    [
        'opens = "25:00"',
        'ipv6 = { mode = "routed", network = "fd00:90::/64", gateway = "fd00:91::1" }',
        'ipv6 = { mode = "routed" }',
        'login = ["one_tap", "face"]',
        'closed_networks = ["0.0.0.0/0 accept"]',
        "colour = 1",
    ],
)
def test_a_wrong_line_is_named(line: str) -> None:
    with pytest.raises(SettingsError) as raised:
        parse(GOOD + line + "\n", Site, Path("site.toml"))
    assert raised.value.facts["line"] == 7 or "spots" in str(raised.value.facts["key"])


def test_an_interface_cannot_smuggle_rules() -> None:
    with pytest.raises(SettingsError):
        parse(GOOD.replace("br-lan", 'br" accept #'.replace('"', "'")), Site, Path("site.toml"))
