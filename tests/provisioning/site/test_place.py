"""What the kiosk is told of its plaza, out of the site file."""

from __future__ import annotations

from pathlib import Path

from kiosk.settings import WifiNetwork
from provisioning.site.city_reading import parse_city
from provisioning.site.place import place_of

SETTSU = Path(__file__).parents[3] / "provisioning" / "examples" / "settsu.toml"
SITES = {box.name: box.site for box in parse_city(SETTSU.read_text("utf-8"), SETTSU).boxes}


def test_the_plaza_has_the_names_of_its_box_and_the_radios_of_its_spots() -> None:
    place = place_of(SITES["chisatooka-1"])
    assert place.name_ja
    assert place.name_en
    assert WifiNetwork("Settsu_Free_Wi-Fi", free=True) in place.networks


def test_each_radio_name_is_told_once() -> None:
    for site in SITES.values():
        names = [network.ssid for network in place_of(site).networks]
        assert len(names) == len(set(names))
