"""What ``hiroba install`` lays where; the browser's policy; which units a site wants."""

from __future__ import annotations

import json
from importlib import metadata
from pathlib import Path

import pytest

from provisioning.box.install.slot import locked_distributions, make_current, next_slot, write_version
from provisioning.box.install.units import destinations, disaster_unit, wanted
from provisioning.box.render.browser import browser_policy
from provisioning.box.render.services import drop_ins
from provisioning.site.city_reading import read_city
from provisioning.site.reading import read_site
from provisioning.updates.slots import COMMAND, Slots

ROOT = Path(__file__).parents[4]
SHIPPED = ROOT / "systemd"
POLICY = (SHIPPED / "chromium/hiroba.json").read_text("utf-8")


def test_every_file_of_the_systemd_folder_has_a_place_to_go_and_no_two_share_it() -> None:
    laid = destinations(SHIPPED)
    files = {file.relative_to(SHIPPED) for file in SHIPPED.rglob("*") if file.is_file() and file.name != "README.md"}
    assert set(laid) == files
    assert len(set(laid.values())) == len(laid)


def test_every_unit_a_site_wants_is_shipped() -> None:
    site = read_site(ROOT / "tests/boot/site.toml")
    shipped = {file.name for file in (SHIPPED / "system").iterdir()}
    templates = {unit.partition("@")[0] + "@.service" if "@" in unit else unit for unit in wanted(site, screen=True)}
    assert templates <= shipped


def test_a_box_without_wifi_and_issuer_starts_neither(tmp_path: Path) -> None:
    text = (ROOT / "tests/boot/site.toml").read_text("utf-8")
    config = tmp_path / "site.toml"
    config.write_text(text.partition("[issuer]")[0], "utf-8")
    assert wanted(read_site(config), screen=False) == [
        *("hiroba.target", "hiroba-kiosk.service", "hiroba-retention.timer")
    ]


def test_the_browser_may_open_the_kiosk_at_its_port_and_nothing_else() -> None:
    policy = json.loads(browser_policy(POLICY, 8222))
    assert policy["URLAllowlist"] == ["http://127.0.0.1:8222"]
    assert policy["URLBlocklist"][:2] == ["*", "chrome://*"]
    assert {policy["NewTabPageLocation"], policy["HomepageLocation"]} == {"http://127.0.0.1:8222/"}


def test_a_shipped_policy_that_allows_more_is_refused() -> None:
    wide = json.dumps({**json.loads(POLICY), "URLAllowlist": ["*"]})
    with pytest.raises(ValueError, match="the kiosk alone"):
        browser_policy(wide, 8100)


def test_slots_take_turns_and_the_name_moves_in_one_step(tmp_path: Path) -> None:
    first = next_slot(tmp_path)
    first.mkdir(parents=True)
    make_current(first)
    second = next_slot(tmp_path)
    assert (first.name, second.name) == ("a", "b")
    assert (tmp_path / "current").resolve() == first
    second.mkdir()
    make_current(second)
    assert (tmp_path / "current").resolve() == second
    assert next_slot(tmp_path) == first


def test_the_lock_file_names_what_goes_into_a_slot() -> None:
    assert locked_distributions("flask==3.1.0 \\\n    --hash=sha256:00\n# note\npsycopg-binary==3 ; x\n") == [
        "flask",
        "psycopg-binary",
    ]


def test_a_box_with_a_radio_watches_for_disasters_and_names_its_radios() -> None:
    site = read_city(ROOT / "provisioning/examples/settsu.toml").box("park-1").site
    assert {"hiroba-hostapd@wlan0.service", "hiroba-disaster.path"} <= set(wanted(site, screen=False))
    told = drop_ins(site)["etc/systemd/system/hiroba-disaster.service.d/radios.conf"].text
    assert told.endswith('[Service]\nEnvironment="HIROBA_RADIOS=wlan0"\n')
    assert disaster_unit("hiroba-hostapd@wlan0.service") == "hiroba-hostapd-disaster@wlan0.service"
    assert disaster_unit("hiroba-dnsmasq@hall.service") == ""


def test_a_slot_says_the_version_of_its_own_tree(tmp_path: Path) -> None:
    write_version(tmp_path, "7.8.9")
    (found,) = metadata.distributions(name="hiroba", path=[str(tmp_path)])
    assert found.version == "7.8.9"


def test_an_installation_by_hand_ends_what_an_update_left_open(tmp_path: Path) -> None:
    make_current(tmp_path / "slots/a")
    slots = Slots(tmp_path)
    slots.open_trial("b")
    (slots.updates / "filling.json").write_text('"b"')
    (slots.path("b") / COMMAND).parent.mkdir(parents=True)
    (slots.path("b") / COMMAND).touch()
    assert not slots.whole("b")
    make_current(slots.path("b"))
    assert (slots.current(), slots.trial(), slots.whole("b")) == ("b", None, True)
