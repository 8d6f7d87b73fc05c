"""City hall's pages in a real browser over TLS: from a code to an approved box, revocation, a phone's width."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import ConsoleMessage, Page, expect, sync_playwright

from provisioning.cityhall.accounts.roles import Role
from provisioning.cityhall.boxes.enrolment import Refused
from provisioning.cityhall.tables import Box
from provisioning.enrolment.identity import Identity
from tests.fixtures.cityhall_server import CityHallServer

pytestmark = pytest.mark.needs("chromium", "nginx")
expect.set_options(timeout=30_000)  # milliseconds, as long as Playwright waits for all else
PASSWORD = "correct horse battery"
FINDINGS = ["page_printer.paper_out", "backup.old", "disk.wearing", "unit.failed", "memory.low", "of.tomorrow"]


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CityHallServer]:
    with CityHallServer(tmp_path_factory.mktemp("cityhall"), workers=1) as server:
        server.service.staff.set_password("hanako", PASSWORD)
        server.service.staff.set_password("jiro", PASSWORD, Role.APPROVE)
        yield server


@pytest.fixture
def page(hall: CityHallServer) -> Iterator[Page]:
    """Logged in."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        address = f"https://localhost:{hall.settings.staff_port}"
        # The city's CA is in no store of this machine; that boxes check it is shown in tests/journeys.
        opened = browser.new_page(base_url=address, ignore_https_errors=True, viewport={"width": 1280, "height": 900})
        opened.goto("/")
        log_in(opened, "hanako")
        expect(opened.locator("body")).to_have_attribute("data-page", "boxes")
        yield opened
        browser.close()


def log_in(page: Page, name: str) -> None:
    page.get_by_label("職員名").fill(name)
    page.get_by_label("パスワード").fill(PASSWORD)
    page.get_by_role("button", name="ログイン").click()


def asks(hall: CityHallServer, folder: Path, box: str, code: str) -> Identity:
    """A box with a code; its identity."""
    identity = Identity(folder / box)
    answer = hall.service.enrolments.ask(code, identity.request(box))
    assert not isinstance(answer, Refused), answer
    return identity


def test_from_a_code_to_an_approved_box_and_to_its_end(hall: CityHallServer, page: Page, tmp_path: Path) -> None:
    page.get_by_role("link", name="登録コード").click()
    page.get_by_label("端末の名前").fill("plaza-1")
    page.get_by_role("button", name="コードを作る").click()
    identity = asks(hall, tmp_path, "plaza-1", page.locator("[data-code]").inner_text())
    page.get_by_role("link", name="登録の承認").click()
    wish = page.locator("[data-box=plaza-1]")
    expect(wish).to_contain_text(identity.fingerprint())
    wish.get_by_role("button", name="承認する").click()
    expect(page.get_by_role("alert")).to_contain_text("別の職員")
    page.get_by_role("button", name="ログアウト").first.click()
    log_in(page, "jiro")
    page.goto("/enrolments")
    wish.get_by_role("button", name="承認する").click()
    expect(page.get_by_role("row", name="plaza-1")).to_contain_text("jiro")
    page.goto("/boxes/plaza-1")
    page.get_by_label("確認のため").fill("plaza-2")
    page.get_by_role("button", name="失効させる").click()
    expect(page.get_by_role("alert")).to_contain_text("一致しません")
    page.get_by_label("確認のため").fill("plaza-1")
    page.get_by_role("button", name="失効させる").click()
    expect(page.locator("h1")).to_contain_text("失効")


@pytest.mark.parametrize("language", ["ja", "en"])
def test_no_page_scrolls_sideways_on_a_phone_and_the_policy_holds(
    hall: CityHallServer, page: Page, tmp_path: Path, language: str
) -> None:
    complaints: list[str] = []

    def complain(message: ConsoleMessage) -> None:
        complaints.append(message.text)

    page.on("console", complain)
    in_trouble(hall, tmp_path, f"plaza-{language}")
    page.set_viewport_size({"width": 360, "height": 740})
    for path in (
        "/",
        f"/boxes/plaza-{language}",
        "/enrolments",
        "/codes",
        "/actions",
        "/password",
        "/factors",
        "/accounts",
    ):
        page.goto(f"{path}?lang={language}")
        expect(page.locator("html")).to_have_attribute("lang", language)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), path
    page.goto("/")
    expect(page.locator(f"[data-box=plaza-{language}]")).to_be_visible()
    assert complaints == []


def in_trouble(hall: CityHallServer, folder: Path, box: str) -> None:
    """An approved box with many findings, and another of its name that waits for staff."""
    now = 1_800_000_000
    asks(hall, folder / "one", box, hall.service.records.new_code(box, "jiro", now, 3650))
    (pending,) = [one for one in hall.service.records.pending() if one.box == box]
    hall.service.enrolments.approve(pending.id, "hanako")
    with hall.service.database.transaction() as session:
        found = session.get(Box, box)
        assert found is not None
        found.heartbeat_at, found.facts = now, {"version": "1", "findings": FINDINGS, "page_paper": "jam"}
    asks(hall, folder / "other", box, hall.service.records.new_code(box, "jiro", now, 3650))
