"""A city's site file: what each box gets, and what is said about mistakes."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from device.errors import SettingsError
from provisioning.cli import hiroba
from provisioning.errors import NotFound
from provisioning.messages import explain
from provisioning.site.city import City, merged
from provisioning.site.city_reading import parse_city, read_city
from provisioning.site.model import Site
from provisioning.site.reading import read_site

SETTSU = Path(__file__).parents[3] / "provisioning" / "examples" / "settsu.toml"
TEXT = SETTSU.read_text("utf-8")


@pytest.fixture(scope="module")
def city() -> City:
    return read_city(SETTSU)


def wrong(old: str, new: str) -> tuple[SettingsError, str]:
    """The error that the example gives once ``old`` is ``new``, and the line it names."""
    assert TEXT.count(old) >= 1, old
    text = TEXT.replace(old, new, 1)
    with pytest.raises(SettingsError) as caught:
        parse_city(text, SETTSU)
    line = int(str(caught.value.facts["line"]))
    return caught.value, text.splitlines()[line - 1]


def test_the_example_is_a_city_of_twelve_boxes(city: City) -> None:
    assert len(city.boxes) == 12
    assert {part for box in city.boxes for part in box.parts} == {"kiosk", "wifi", "issuer", "cityhall"}


def test_the_file_made_for_a_box_says_the_same_as_the_city(city: City) -> None:
    for box in city.boxes:
        assert msgspec.convert(tomllib.loads(box.toml), Site) == box.site


def test_a_box_takes_what_the_city_says_and_its_own_keys_win(city: City) -> None:
    lobby, torikai = city.box("cityhall-2").site, city.box("torikai-1").site
    assert (lobby.kiosk.opens, lobby.kiosk.closes, lobby.kiosk.languages) == ("08:30", "20:00", ["ja", "en"])
    assert (torikai.city.telephone, torikai.city.name_ja) == ("06-0000-0001", "摂津市")


def test_city_hall_knows_where_each_box_stands(city: City) -> None:
    server = city.box("cityhall-1").site.cityhall
    assert server is not None
    assert (server.place("torikai-1", "ja"), server.place("torikai-1", "en")) == (
        "鳥飼公民館",
        "Torikai Community Centre",
    )
    assert (server.place("nowhere-1", "ja"), len(server.places)) == ("", 12)


def test_every_spot_takes_the_city_s_spot_settings(city: City) -> None:
    wifi = city.box("library-1").site.wifi
    assert wifi is not None
    library, study = wifi.spots
    assert (library.interface, library.opens, library.ipv4.gateway) == ("br-hiroba", "09:30", "192.168.90.1")
    assert (study.interface, study.login, study.limits.quota_mib) == ("br-study", ["voucher"], 500)


def test_a_box_gets_no_section_of_a_part_it_does_not_play(city: City) -> None:
    hall, station, sports = (city.box(name).site for name in ("cityhall-1", "station-1", "sports-1"))
    assert (hall.wifi, hall.box.screen, hall.issuer is not None, hall.cityhall is not None) == (None, False, True, True)
    assert (station.wifi, station.issuer, station.box.screen) == (None, None, True)
    assert sports.wifi is not None
    assert not sports.box.screen


def test_a_box_that_is_not_there_is_not_found(city: City) -> None:
    with pytest.raises(NotFound):
        city.box("nowhere-1")


@pytest.mark.parametrize(
    ("old", "new", "key", "right"),
    [
        ('security = "open"', 'security = "opne"', "boxes[7].wifi.spots[1].ssids[0].security", '"owe_transition"'),
        ('closes = "20:00"', 'closes = "25:00"', "boxes[1].kiosk.closes", '"06:30"'),
        ('opens = "06:30"', "opens = 630", "kiosk.opens", '"06:30"'),
        ("prefix = 23", 'prefix = "23"', "spot.ipv4.prefix", "8"),
        ("prefix = 23", "prefix = 31", "spot.ipv4.prefix", "30"),
        ("residence_record = 300", "resident_record = 300", "issuer.fees_yen.resident_record", "residence_record"),
        ('name = "ajifu-1"', 'name = "Ajifu-1"', "boxes[6].name", "chisatooka-1"),
        ('title_ja = "鳥飼公民館 Wi-Fi"', 'titel_ja = "x"', "boxes[3].wifi.spots[0].titel_ja", "title_ja"),
        ("[boxes.kiosk]  ", "[boxes.kiosc]  ", "boxes[1].kiosc", "kiosk"),
        ('languages = ["ja", "en"]', 'languages = ["ja", "xx"]', "kiosk.languages", "en"),
        ('languages = ["ja", "en"]', 'services = ["certificate"]', "kiosk.services", "certificates, plaza"),
        ('uri = "ipps://', 'uri = "lpd://', "boxes[10].page_printer.uri", "ipp://"),
        ('first = "192.168.90.20"', 'first = "192.168.99.20"', "spot.dhcp.first", "192.168.90.0/23"),
        (
            'leases = "dnsmasq/study.leases"',
            'leases = "dnsmasq/library.leases"',
            "boxes[7].wifi.spots[1].dhcp.leases",
            "",
        ),
    ],
)
def test_a_mistake_is_told_with_line_key_and_what_is_right(old: str, new: str, key: str, right: str) -> None:
    text = TEXT.replace(old, new, 1)
    path = SETTSU.with_name("wrong.toml")
    with pytest.raises(SettingsError) as caught:
        check_whole(parse_city(text, path))
    facts = caught.value.facts
    assert str(facts["key"]).startswith(key)
    line = text.splitlines()[int(str(facts["line"])) - 1]
    assert new in line
    assert right in str(facts["right"])
    assert right in str(facts["right_ja"])
    assert facts["wrong"]
    assert facts["wrong_ja"] != facts["wrong"]


def check_whole(city: City) -> None:
    from provisioning.box.render.site_file import city_files

    city_files(city, Path("/var/lib/hiroba"))


def test_a_key_that_is_missing_is_told_at_its_box() -> None:
    error, line = wrong('mayor = "摂津市長　見本　太郎"\n', "")
    assert (error.facts["key"], line) == ("boxes[0].issuer.mayor", "[boxes.issuer]")
    assert "mayor" in str(error.facts["wrong"])


def test_two_boxes_can_not_share_a_name() -> None:
    error, line = wrong('name = "ajifu-1"', 'name = "miyake-1"')
    assert (error.facts["key"], line) == ("boxes[6].name", 'name = "miyake-1"')


def test_two_spots_of_a_box_can_not_share_an_interface() -> None:
    error, _ = wrong('interface = "br-study"', 'interface = "br-hiroba"')
    assert "br-hiroba" in str(error.facts["wrong_ja"])


def test_a_box_with_wifi_needs_a_spot() -> None:
    spot = '[[boxes.wifi.spots]]\nname = "miyake"\ntitle_ja = "三宅公民館 Wi-Fi"\ntitle_en = "Miyake Wi-Fi"\n'
    error, line = wrong(spot, "")
    assert "spots" in str(error.facts["key"])
    assert line in ("[[boxes]]", "[wifi.portal]")


def test_a_box_s_own_file_given_for_a_city_s_is_told_so() -> None:
    with pytest.raises(SettingsError) as caught:
        read_site(SETTSU)
    assert "市全体" in explain(caught.value)


def test_the_message_speaks_japanese_first_and_then_english() -> None:
    error, _ = wrong('closes = "20:00"', 'closes = "25:00"')
    japanese, english = explain(error).split("\n\n")
    line = error.facts["line"]
    assert f"{line} 行目（boxes[1].kiosk.closes）" in japanese
    assert "時刻" in japanese
    assert f"line {line}" in english
    assert "a time of day" in english


def test_site_check_takes_a_city_and_tells_a_program_what_is_wrong(tmp_path: Path) -> None:
    good = CliRunner().invoke(hiroba, ["site", "check", str(SETTSU), "--json"])
    assert (good.exit_code, len(json.loads(good.output)["boxes"])) == (0, 12)
    (tmp_path / "city.toml").write_text(TEXT.replace("06:30", "6:30"), "utf-8")
    bad = CliRunner().invoke(hiroba, ["site", "check", str(tmp_path / "city.toml"), "--json"])
    told = json.loads(bad.output)
    assert (bad.exit_code, told["ok"], told["key"]) == (1, False, "kiosk.opens")
    assert {"file", "line", "wrong", "right", "wrong_ja", "right_ja"} <= told.keys()


VALUES = st.recursive(st.integers() | st.text(max_size=3), lambda inner: st.dictionaries(st.sampled_from("abc"), inner))


@given(VALUES, VALUES)
def test_what_stands_above_always_wins_and_nothing_else_is_lost(below: object, above: object) -> None:
    both = merged(below, above)
    assert merged(both, above) == both
    if isinstance(below, dict) and isinstance(above, dict):
        assert both.keys() == below.keys() | above.keys()
        assert all(merged(both[key], value) == both[key] for key, value in above.items())
    else:
        assert both == above
