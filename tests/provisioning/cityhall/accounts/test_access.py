"""The table of who may do what: every route has a row, every row a route, and each role is held to it."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient

from device.audit import known_events
from device.logs import open_log
from provisioning.cityhall.accounts.account_requests import Outcome
from provisioning.cityhall.accounts.roles import Role
from provisioning.cityhall.accounts.staff_audit import EVENTS, verify_staff_audit
from provisioning.cityhall.app import create_staff_app
from provisioning.cityhall.staff.access import Open, row_of
from provisioning.cityhall.staff.table import PAGES, access_of
from provisioning.cityhall.staff.words import words
from tests.provisioning.cityhall.conftest import Hall

PASSWORD = "correct horse battery"
TABLE = access_of(PAGES)
PLACES = {"name": "plaza-1", "factor": "abc", "number": "1", "part": "kiosk"}


def client_of(hall: Hall, role: Role) -> FlaskClient:
    hall.service.staff.set_password(role, PASSWORD, role)
    client = create_staff_app(hall.service.pages, open_log("cityhall")).test_client()
    client.post("/login", base_url="https://localhost", data={"name": role, "password": PASSWORD})
    return client


def routes(hall: Hall) -> dict[str, str]:
    """Row of the table -> a path of it."""
    app = create_staff_app(hall.service.pages, open_log("cityhall"))
    return {
        row_of(method, rule.endpoint): re.sub(r"<(?:\w+:)?(\w+)>", lambda m: PLACES[m[1]], rule.rule)
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("staff.")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }


def test_no_route_lacks_a_row_and_no_row_a_route(small_hall: Hall) -> None:
    assert routes(small_hall).keys() == TABLE.keys()


@pytest.mark.parametrize("role", Role)
def test_a_role_may_what_its_rows_say_and_no_more(small_hall: Hall, role: Role) -> None:
    client = client_of(small_hall, role)
    for row, path in routes(small_hall).items():
        needed = TABLE[row]
        if isinstance(needed, Open) or row in ("POST log_out", "POST log_out_everywhere", "POST password"):
            continue
        shown = client.get("/factors", base_url="https://localhost").text
        found = re.search(r'name="token" value="([0-9a-f]{64})"', shown)
        assert found
        method, data = row.split()[0], {"token": found[1]}
        answer = client.open(path, method=method, base_url="https://localhost", data=data if method == "POST" else None)
        refused = answer.status_code == 403 and "権限" in answer.text
        assert refused is not role.covers(needed), row


def test_a_page_without_a_row_is_closed(small_hall: Hall) -> None:
    row = next(page for page in PAGES if page.name == "actions")
    pages = [page for page in PAGES if page.name != "actions"] + [row._replace(access={}, nav="")]
    client_of(small_hall, Role.ADMINISTER)
    client = create_staff_app(small_hall.service.pages, open_log("cityhall"), pages).test_client()
    client.post("/login", base_url="https://localhost", data={"name": "administer", "password": PASSWORD})
    assert client.get("/actions", base_url="https://localhost").status_code == 403


def test_a_role_that_changes_ends_the_sessions(small_hall: Hall) -> None:
    client = client_of(small_hall, Role.OPERATE)
    assert client.get("/codes", base_url="https://localhost").status_code == 200
    assert small_hall.service.pages.requests.role("operate", Role.VIEW, "", "jiro") is Outcome.DONE
    assert client.get("/codes", base_url="https://localhost").status_code == 303


def test_who_made_the_code_does_not_approve_the_box(hall: Hall) -> None:
    asked = hall.ask("plaza-1", hall.code("plaza-1"))
    assert not hall.service.enrolments.approve(asked.id, "jiro")
    assert hall.service.enrolments.needs_another(asked.id, "jiro")
    assert hall.service.enrolments.approve(asked.id, "hanako")


def test_grave_rights_take_two_administrators(hall: Hall) -> None:
    staff, requests = hall.service.staff, hall.service.pages.requests
    for name in ("hanako", "jiro"):
        staff.set_password(name, PASSWORD, Role.ADMINISTER)
    staff.set_password("saburo", PASSWORD, Role.VIEW)
    assert requests.role("saburo", Role.APPROVE, " ", "hanako") is Outcome.NO_REASON
    assert requests.role("saburo", Role.APPROVE, "TEST", "hanako") is Outcome.WAITS
    (asked,) = requests.pending()
    for same in ("hanako", "saburo"):
        assert requests.decide(asked.number, same, approve=True) is Outcome.SAME_PERSON
    assert requests.decide(asked.number, "jiro", approve=True) is Outcome.DONE
    assert requests.decide(asked.number, "jiro", approve=True) is Outcome.UNKNOWN
    assert {one.name: one.role for one in staff.accounts()}["saburo"] is Role.APPROVE


def test_the_last_administrator_stays(hall: Hall) -> None:
    hall.service.staff.set_password("hanako", PASSWORD)
    requests = hall.service.pages.requests
    assert requests.role("hanako", Role.VIEW, "TEST", "hanako") is Outcome.LAST
    assert requests.close("hanako", "hanako") is Outcome.LAST


def test_an_old_request_ends(hall: Hall) -> None:
    hall.service.staff.set_password("saburo", PASSWORD, Role.VIEW)
    requests = hall.service.pages.requests
    requests.reset("saburo", "TEST", "hanako")
    (asked,) = requests.pending()
    hall.clock.advance(8 * 86400)
    assert requests.pending() == []
    assert requests.decide(asked.number, "jiro", approve=True) is Outcome.UNKNOWN


def test_all_that_staff_do_is_chained_and_named_in_both_languages(hall: Hall) -> None:
    hall.enrolled("plaza-1")
    hall.service.staff.set_password("hanako", PASSWORD)
    with hall.service.database.transaction() as session:
        assert verify_staff_audit(session).lines == 3
    assert set(EVENTS.values()) <= known_events().keys()
    for language in ("ja", "en"):
        assert {f"actions_of.{action}" for action in EVENTS} <= words(language).keys()
