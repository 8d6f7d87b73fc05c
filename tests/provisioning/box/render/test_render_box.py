"""Every file that a box needs: golden files, what other programs say of them, and what never stands in them."""

from __future__ import annotations

import configparser
import json
import re
import tomllib
from pathlib import Path

import msgspec
import pytest

from captive_portal.settings import DhcpSettings
from device.printer.settings import PagePrinterSettings
from kiosk.issuer.settings import RevocationSettings
from provisioning.box.render.box import CITYHALL, SITE, render_box
from provisioning.box.render.files import Rendered
from provisioning.box.render.services import SHIPPED, drop_ins, kernel
from provisioning.box.render.site_file import POLICY
from provisioning.site.city import City
from provisioning.site.city_reading import parse_city, read_city
from provisioning.site.model import NetworkSettings, Site

ROOT = Path(__file__).parents[4]
SETTSU = ROOT / "provisioning" / "examples" / "settsu.toml"
GOLDEN = ROOT / "tests" / "fixtures" / "render" / "settsu"
KIOSK_ADDRESSES = "etc/systemd/system/hiroba-kiosk.service.d/addresses.conf"
NGINX_ADDRESSES = "etc/systemd/system/hiroba-nginx@box.service.d/addresses.conf"
STATE = Path("/var/lib/hiroba")
BOXES = ("cityhall-1", "library-1", "park-1", "station-1", "training-1")
"""One of each kind: server, kiosk and Wi-Fi with two spots, Wi-Fi alone, kiosk alone, kiosk with its own issuer."""


@pytest.fixture(scope="module")
def city() -> City:
    return read_city(SETTSU)


def files_of(city: City, name: str) -> dict[str, Rendered]:
    box = city.box(name)
    return render_box(box.site, box.toml, POLICY.read_text("utf-8"), STATE, None)


@pytest.mark.parametrize("name", BOXES)
def test_rendering_a_box_gives_the_golden_files(city: City, name: str) -> None:
    folder = GOLDEN / name
    golden = {str(path.relative_to(folder)): path.read_text("utf-8") for path in folder.rglob("*") if path.is_file()}
    assert {place: file.text for place, file in files_of(city, name).items()} == golden


def test_the_same_settings_give_the_same_bytes(city: City) -> None:
    again = parse_city(city.text, city.source)
    assert [files_of(city, box.name) for box in city.boxes] == [files_of(again, box.name) for box in again.boxes]


def test_every_file_stays_below_etc(city: City) -> None:
    for box in city.boxes:
        for place in files_of(city, box.name):
            assert place.startswith("etc/")
            assert ".." not in Path(place).parts


def test_files_that_hold_more_than_anyone_should_know_are_not_for_everyone(city: City) -> None:
    files = files_of(city, "library-1")
    assert (files[SITE].mode, files[SITE].group) == (0o640, "hiroba")
    assert all(f.mode == 0o600 and f.secret for place, f in files.items() if "hostapd-" in place)


def test_city_hall_s_server_gets_its_own_file_and_its_password_is_shown_to_nobody(city: City) -> None:
    file = files_of(city, "cityhall-1")[CITYHALL]
    assert (file.secret, file.mode, file.group) == (True, 0o640, "hiroba")
    said = tomllib.loads(file.text)
    assert said.keys() == {"cityhall", "issuer"}  # nginx stands before both
    assert said["cityhall"].keys() == {"names", "city_name", "places"}


def test_the_browser_may_open_the_kiosk_alone(city: City) -> None:
    policy = json.loads(files_of(city, "library-1")["etc/chromium/policies/managed/hiroba.json"].text)
    assert (policy["URLBlocklist"][:2], policy["URLAllowlist"]) == (["*", "chrome://*"], ["http://127.0.0.1:8100"])


def test_a_box_without_screen_has_no_browser_and_one_without_wifi_no_spots(city: City) -> None:
    park, hall = files_of(city, "park-1"), files_of(city, "cityhall-1")
    assert not [place for place in [*park, *hall] if "chromium" in place or "browser" in place]
    assert not [place for place in hall if "wifi" in place or "network" in place]


def with_network(site: Site, **changes: object) -> Site:
    return msgspec.structs.replace(site, network=msgspec.structs.replace(site.network, **changes))


def test_a_network_beyond_the_private_ones_is_let_through_and_nothing_else(city: City) -> None:
    site = with_network(city.box("library-1").site, reachable=["203.0.113.0/24", "10.1.0.0/16"])
    files = drop_ins(site)
    assert {f"etc/systemd/system/hiroba-{u}.service.d/addresses.conf" for u in ("kiosk", "portal")} <= files.keys()
    for place, file in files.items():
        if place.endswith("addresses.conf") and place != NGINX_ADDRESSES:
            assert file.text.splitlines()[1:] == ["[Service]", "IPAddressAllow=203.0.113.0/24 10.1.0.0/16"]


def test_an_nginx_before_the_portal_alone_lets_phones_in_and_nobody_else(city: City) -> None:
    site = with_network(city.box("library-1").site, reachable=["203.0.113.0/24"])
    spots = "192.168.90.0/23 192.168.94.0/24"
    expected = ["[Service]", "IPAddressAllow=", f"IPAddressAllow=localhost fe80::/64 {spots}"]
    assert drop_ins(site)[NGINX_ADDRESSES].text.splitlines()[1:] == expected


def test_a_printer_at_a_public_address_is_let_through(city: City) -> None:
    site = city.box("station-1").site
    site = msgspec.structs.replace(site, page_printer=PagePrinterSettings(uri="ipp://203.0.113.9:631/ipp/print"))
    assert "IPAddressAllow=203.0.113.9/32\n" in drop_ins(site)[KIOSK_ADDRESSES].text
    assert drop_ins(city.box("station-1").site) == {}


@pytest.mark.parametrize(
    ("url", "allowed"),
    [("http://203.0.113.9/ocsp", "203.0.113.9/32"), ("http://ocsp.example.jp/", "203.0.113.0/24 10.0.0.0/8")],
)
def test_an_issuer_that_asks_a_responder_may_speak_with_it(city: City, url: str, allowed: str) -> None:
    site = with_network(city.box("cityhall-1").site, reachable=["203.0.113.0/24"])
    assert site.issuer is not None
    place = "etc/systemd/system/hiroba-issuer.service.d/addresses.conf"
    assert place not in drop_ins(site)
    issuer = msgspec.structs.replace(site.issuer, revocation=RevocationSettings(ocsp=url))
    text = drop_ins(msgspec.structs.replace(site, issuer=issuer))[place].text
    assert text.splitlines()[2].startswith(f"IPAddressAllow={allowed}")


def test_the_shipped_units_let_through_what_rendering_takes_for_granted() -> None:
    unit = (ROOT / "systemd" / "system" / "hiroba-kiosk.service").read_text("utf-8")
    allowed = re.search(r"^IPAddressAllow=localhost (.+)$", unit, re.MULTILINE)
    assert allowed is not None
    assert {str(n) for n in SHIPPED} == {*allowed[1].split(), "127.0.0.0/8", "::1/128"}


@pytest.mark.parametrize(
    ("first", "last", "largest"),
    [
        ("192.168.90.20", "192.168.90.30", 1024),
        ("192.168.90.20", "192.168.91.250", 2048),
        ("10.90.0.20", "10.90.255.250", 65536),
    ],
)
def test_the_neighbour_tables_have_room_for_every_phone(city: City, first: str, last: str, largest: int) -> None:
    site = city.box("park-1").site
    assert site.wifi is not None
    spot = msgspec.structs.replace(site.wifi.spots[0], dhcp=DhcpSettings(first=first, last=last))
    site = msgspec.structs.replace(site, wifi=msgspec.structs.replace(site.wifi, spots=[spot]))
    assert f"-net.ipv4.neigh.default.gc_thresh3 = {largest}" in kernel(site)["etc/sysctl.d/61-hiroba-site.conf"].text


def test_a_network_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="203"):
        NetworkSettings(reachable=["203.0.113.0/33"])


@pytest.mark.parametrize("path", sorted(GOLDEN.rglob("rules.conf")), ids=lambda p: p.parents[2].name)
def test_usb_rules_let_in_by_class_or_by_number_and_nothing_else(path: Path) -> None:
    # Not read by usbguard itself: its package would lock the machine that runs the tests.
    rules = [line for line in path.read_text("utf-8").splitlines() if not line.startswith("#")]
    form = r"allow (id [0-9a-f]{4}:[0-9a-f]{4}|with-interface equals \{( [0-9a-f]{2}:[0-9a-f]{2}:[0-9a-f]{2})+ \})"
    assert [rule for rule in rules if not re.fullmatch(form, rule)] == []
    assert not [rule for rule in rules if " 08:" in rule or " 03:01:" in rule]


@pytest.mark.parametrize("path", sorted(GOLDEN.rglob("*.net*")), ids=lambda p: p.name)
def test_a_file_for_networkd_has_one_value_a_key(path: Path) -> None:
    parser = configparser.ConfigParser(strict=not path.name.endswith(".network") or "park" not in path.name)
    parser.read_string(path.read_text("utf-8"))
    assert set(parser.sections()) <= {"Match", "Link", "Network", "NetDev", "Bridge"}
    assert parser.has_option("Match" if path.suffix == ".network" else "NetDev", "Name")
