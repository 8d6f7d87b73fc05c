"""Nothing of a visitor reaches the next one, a log, a database or a URL; old pages and strangers do nothing."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kiosk.services.certificates.state import CertificatesVisit
from kiosk.shell.journey import SHELL_SCREENS, Screen

if TYPE_CHECKING:
    from tests.kiosk.conftest import QuietLog, Visitor


PIN = re.compile(r"(?<![0-9A-Za-z_-])7391(?![0-9A-Za-z_-])")
"""Four digits by themselves: inside a random id or token they stand now and then by chance."""


def personal(visitor: Visitor) -> list[str]:
    """What must not be seen after the visit."""
    return ["試験 一郎", "試験 花子", "試験 二郎", "M-000001", *visitor.simulator.issuer.outcomes]


def screens_of(visitor: Visitor) -> list[Screen]:
    """Every screen of this kiosk."""
    services = visitor.simulator.kiosk.shell.desk.journey.services.values()
    return [*SHELL_SCREENS, *(screen for service in services for screen in service.screens)]


def test_the_next_visitor_sees_nothing_of_the_one_before(visitor: Visitor) -> None:
    visitor.touch("language-en")
    visitor.touch("display-large")
    visitor.to_paper()
    visitor.touch("taken")
    before = len(visitor.pages)
    visitor.touch("home")
    visitor.simulator.remove()
    for screen in screens_of(visitor):
        visitor.client.get(screen.path)
    visitor.simulator.issuer.refuse_authentication = None
    visitor.to_card()
    seen = " ".join(page.html for page in visitor.pages[before:])
    assert [word for word in personal(visitor) if word in seen] == []
    assert {page.language for page in visitor.pages[before + 1 :]} == {"ja"}
    assert "large" not in re.findall(r'<html[^>]*class="([^"]*)"', visitor.page.html)[0]


def test_after_a_visit_nothing_of_it_is_left_in_memory(visitor: Visitor) -> None:
    visitor.to_paper()
    old = visitor.simulator.kiosk.shell.desk.visit
    part = old.service
    assert isinstance(part, CertificatesVisit)
    visitor.touch("taken")
    visitor.touch("home")
    assert visitor.simulator.kiosk.shell.desk.visit is not old
    assert old.service is None
    assert [part.card, part.resident, part.draft, part.content, part.quote] == [None] * 5


def test_pin_and_names_stand_in_no_log_database_or_address(visitor: Visitor, log: QuietLog) -> None:
    visitor.to_card()
    visitor.touch("enter", pin="7391")
    visitor.touch("enter", pin="1234")
    visitor.touch("choose-residence_record")
    visitor.touch("next")
    visitor.touch("confirm")
    visitor.touch("pay")
    visitor.touch("taken")
    files = b"".join(path.read_bytes() for path in visitor.simulator.folder.glob("kiosk.db*"))
    texts = [*log.lines, *(page.html for page in visitor.pages if page.screen == "enter_pin")]
    texts += cells(visitor.simulator.folder / "kiosk.db")
    assert [text for text in texts if PIN.search(text) or "試験 一郎" in text or "試験 花子" in text] == []
    assert [name for name in ("試験 一郎", "試験 花子") if name.encode() in files] == []


def test_a_pin_is_seen_beside_anything_but_letters_and_digits() -> None:
    assert all(PIN.search(text) for text in ("7391", '{"pin":"7391"}', "pin=7391&step", "PIN 7391.", 'value="7391"'))
    assert not any(PIN.search(text) for text in ("0198-7391-42", "a7391f", "00:00.007391", "zy_7391"))


def cells(database: Path) -> list[str]:
    """Every value of every table, as text."""
    with closing(sqlite3.connect(database)) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        rows = [row for (table,) in tables for row in connection.execute(f'SELECT * FROM "{table}"')]  # noqa: S608 - names of its own
    return [str(cell) for row in rows for cell in row]


def test_a_page_of_another_step_leads_to_the_present_one(visitor: Visitor) -> None:
    visitor.to_card()
    for screen in screens_of(visitor):
        answer = visitor.client.get(screen.path)
        assert (answer.status_code, answer.headers.get("Location")) == (
            (200, None) if screen.name == "enter_pin" else (303, "/enter-pin")
        )


def test_an_address_nobody_knows_leads_to_the_present_page(visitor: Visitor) -> None:
    assert visitor.client.get("/admin").headers["Location"] == "/home"
    assert visitor.client.get("/home/start").headers["Location"] == "/home"


def test_a_double_tap_and_an_old_page_do_nothing(visitor: Visitor) -> None:
    visitor.to_confirm()
    form = next(form for form in visitor.page.forms if "confirm" in form.actions)
    for _ in range(3):
        visitor.client.post(form.path, data=form.fields)
    assert visitor.screen == "pay"
    assert len(visitor.journal.all_rows()) == 1


def test_a_form_without_the_pages_token_does_nothing(visitor: Visitor) -> None:
    for path in ("/home/start", "/action/language-en", "/action/staff"):
        visitor.client.post(path, data={"token": "guessed"})
        visitor.client.post(path)
    page = visitor.look()
    assert (page.screen, page.language) == ("home", "ja")


@pytest.mark.parametrize("host", ["kiosk.example.jp", "127.0.0.1.example.jp", "10.0.0.5", ""])
def test_a_name_that_is_not_loopback_is_not_answered(visitor: Visitor, host: str) -> None:
    assert visitor.client.get("/home", headers={"Host": host}).status_code in (400, 421)


def test_a_form_from_another_origin_is_not_heard(visitor: Visitor) -> None:
    form = next(form for form in visitor.page.forms if "start" in form.actions)
    sent = visitor.client.post(form.path, data=form.fields, headers={"Origin": "http://elsewhere.example.jp"})
    assert sent.status_code == 403
    assert visitor.screen == "home"


def test_state_tells_screen_and_revision_and_nothing_else(visitor: Visitor) -> None:
    visitor.to_choice()
    state = visitor.client.get("/state").get_json()
    assert set(state) == {"screen", "revision"}
    assert state["screen"] == "choose_certificate"


def test_a_form_that_is_too_long_does_nothing_and_leads_to_the_present_screen(visitor: Visitor) -> None:
    form = next(form for form in visitor.page.forms if "start" in form.actions)
    sent = visitor.client.post(form.path, data={**form.fields, "more": "x" * 10_000})
    assert (sent.status_code, sent.headers["Location"], visitor.screen) == (303, "/home", "home")
