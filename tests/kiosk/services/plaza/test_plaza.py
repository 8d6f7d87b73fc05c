"""The plaza's own pages: what they tell, and that nothing that is broken closes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from device.card.presence import Presence
from device.printer.status import Condition
from kiosk.services.plaza.state import PICTURES
from kiosk.services.plaza.wifi_code import wifi_uri

if TYPE_CHECKING:
    from tests.kiosk.conftest import Page, Stage, Visitor


def overview(visitor: Visitor, language: str = "ja") -> Page:
    """From home to the plaza's first page."""
    visitor.touch(f"language-{language}")
    visitor.touch("start")
    return visitor.touch("plaza")


@pytest.fixture
def broken(visitor: Visitor) -> Visitor:
    """A visitor at a kiosk without reader, printers and issuer."""
    visitor.simulator.reader.service(Presence.NO_READER)
    visitor.simulator.pages.set(Condition.SILENT)
    visitor.simulator.receipts.set(Condition.SILENT)
    visitor.simulator.issuer.reachable = False
    visitor.simulator.settle()
    visitor.look()
    return visitor


@pytest.mark.parametrize("language", ["ja", "en"])
def test_the_overview_tells_hours_services_and_whom_to_call(visitor: Visitor, language: str) -> None:
    page = overview(visitor, language)
    assert (page.screen, page.service, page.language) == ("plaza", "plaza", language)
    assert "06:30" in page.text
    assert page.facts["data-telephone"] == "06-0000-0000"
    assert page.facts["data-service-state"] == "certificates"
    assert {"wifi", "how", "back", "home"} <= page.actions


def test_with_everything_broken_every_page_of_the_plaza_opens(broken: Visitor) -> None:
    assert overview(broken).facts["data-unavailable"] == "reader.missing"
    assert broken.touch("wifi").screen == "plaza_wifi"
    broken.touch("back")
    assert broken.touch("how").screen == "plaza_how"
    broken.touch("back")
    assert broken.touch("home").screen == "home"


def test_with_everything_broken_the_menu_says_which_service_is_shut_and_why(broken: Visitor) -> None:
    page = broken.touch("start")
    assert page.screen == "services"
    assert page.facts["data-unavailable"] == "reader.missing"
    assert "カード読み取り機がつながっていません" in page.text
    assert "係員をお呼びください" in page.text
    assert {"certificates", "plaza"} <= page.actions


def test_what_heals_is_told_on_the_overview_without_a_touch(broken: Visitor) -> None:
    overview(broken)
    before = broken.client.get("/state").get_json()["revision"]
    broken.simulator.reader.service(Presence.EMPTY)
    broken.simulator.pages.set(Condition.READY)
    broken.simulator.issuer.reachable = True
    broken.simulator.settle()
    assert broken.client.get("/state").get_json()["revision"] > before
    assert "data-unavailable" not in broken.look().facts


def test_the_pictures_are_leafed_through_and_back(visitor: Visitor) -> None:
    overview(visitor)
    seen = [visitor.touch("how").facts["data-picture"]]
    while "next" in visitor.page.actions:
        seen.append(visitor.touch("next").facts["data-picture"])
    assert seen == list(PICTURES)
    for _ in PICTURES:
        visitor.touch("back")
    assert visitor.screen == "plaza"


@pytest.mark.parametrize("name", PICTURES)
def test_every_picture_is_served_and_loads_nothing(visitor: Visitor, name: str) -> None:
    answer = visitor.client.get(f"/plaza-how/pictures/{name}.svg")
    assert answer.status_code == 200
    assert "href" not in answer.get_data(as_text=True)


def test_a_visitor_who_comes_back_begins_with_the_first_picture(visitor: Visitor) -> None:
    overview(visitor)
    visitor.touch("how")
    visitor.touch("next")
    visitor.touch("home")
    overview(visitor)
    assert visitor.touch("how").facts["data-picture"] == PICTURES[0]


def test_a_card_that_comes_and_goes_changes_nothing_here(visitor: Visitor) -> None:
    overview(visitor)
    visitor.simulator.insert()
    visitor.simulator.remove()
    assert visitor.screen == "plaza"


def test_an_alarm_closes_the_plaza_too(visitor: Visitor) -> None:
    overview(visitor)
    visitor.simulator.kiosk.shell.alarm.raise_("page_mismatch")
    visitor.simulator.settle()
    assert visitor.screen == "closed"


def test_a_kiosk_with_the_plaza_alone_asks_nobody_for_anything(stage: Stage) -> None:
    visitor = stage(services=["plaza"])
    visitor.simulator.issuer.reachable = False
    visitor.simulator.reader.service(Presence.NO_READER)
    visitor.simulator.settle()
    page = visitor.look()
    assert "data-notice" not in page.facts
    assert visitor.touch("start").actions & {"certificates", "plaza"} == {"plaza"}
    assert "how" not in visitor.touch("plaza").actions


@pytest.mark.parametrize(
    ("ssid", "said"),
    [("Settsu_Free_Wi-Fi", "Settsu_Free_Wi-Fi"), ('a;b:c,d\\e"', 'a\\;b\\:c\\,d\\\\e\\"'), ("広場", "広場")],
)
def test_special_signs_of_a_wifi_name_are_escaped(ssid: str, said: str) -> None:
    assert wifi_uri(ssid) == f"WIFI:T:nopass;S:{said};;"
