"""What the demo makes up: a city that is not Settsu, a month of Wi-Fi, boxes at city hall."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from captive_portal.stats.codes import ALL_SPOTS
from captive_portal.stats.database import open_stats_database
from captive_portal.stats.report import day_report
from device.clock import JST, HeldClock
from device.logs import open_log
from device.settings import read
from provisioning.cityhall.settings import CityHallFile
from provisioning.cityhall.staff.box_status import box_status
from provisioning.cityhall.wiring import build_cityhall
from provisioning.demo import city_hall_boxes, wifi_month
from provisioning.demo.made_up_city import city_hall_file, kiosk_sections, lives_here, residents, wifi_sections
from provisioning.site.reading import read_site

NOW = datetime(2026, 11, 30, 15, tzinfo=JST)


def test_nobody_lives_in_settsu() -> None:
    addresses = [household.address for household in residents().households]
    assert [a for a in addresses if "摂津" in a or not lives_here(a)] == []


def test_its_site_file_is_one_and_marks_its_papers(tmp_path: Path) -> None:
    kiosk = kiosk_sections(kiosk=1, receipt=3, page=4, terminal="virtual", trust=tmp_path)
    (tmp_path / "site.toml").write_text(kiosk + wifi_sections(portal=5, stats=6), "utf-8")
    site = read_site(tmp_path / "site.toml")
    assert site.issuer
    assert site.issuer.specimen
    assert site.city.name_ja == "見本市"
    assert site.wifi
    assert [spot.name for spot in site.wifi.spots] == ["hall", "library"]


def test_every_day_of_its_month_has_visitors_and_a_second_start_counts_none_twice(tmp_path: Path) -> None:
    file = tmp_path / "stats.db"
    wifi_month.fill(file, NOW)
    store = open_stats_database(file)
    days = [NOW.date() - timedelta(days=n) for n in range(wifi_month.DAYS)]

    def sessions() -> dict[date, int | None]:
        return {day: day_report(store, ALL_SPOTS, day).total.sessions for day in days}

    counted = sessions()
    assert all(count and count > 20 for count in counted.values()), counted
    wifi_month.fill(file, NOW)
    assert sessions() == counted
    store.close()


@pytest.mark.parametrize("starts", [1, 2])
def test_its_boxes_told_city_hall_how_they_are(tmp_path: Path, starts: int) -> None:
    (tmp_path / "hall.toml").write_text(city_hall_file(staff=1, enrol=2, boxes=3), "utf-8")
    settings = read(tmp_path / "hall.toml", CityHallFile).cityhall
    passwords = {city_hall_boxes.fill(settings, tmp_path, NOW) for _ in range(starts)}
    hall = build_cityhall(settings, tmp_path, HeldClock(NOW), open_log("test"))
    seen = [box_status(box, int(NOW.timestamp()), settings.silent_minutes * 60) for box in hall.records.boxes()]
    assert {one.state for one in seen} == {"well", "trouble", "silent", "attention"}
    assert all(settings.place(one.name, "ja") for one in seen)
    assert len(passwords) == 1
    hall.database.close()
