"""The staff's pages: who gets in, what a form needs, what is shown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from importlib import resources

import msgspec
import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from device.logs import open_log
from device.outbox import known_kinds
from device.printer.status import Condition
from device.uuid7 import Uuid7
from provisioning.cityhall.accounts.limits import MAX_TRIES, Counted
from provisioning.cityhall.accounts.sessions import IDLE_SECONDS, LONGEST_SECONDS
from provisioning.cityhall.app import create_staff_app
from provisioning.cityhall.boxes.authority import SERVER_FILE
from provisioning.cityhall.boxes.expiry import CredentialEnds, ends_of, warnings
from provisioning.cityhall.boxes.intake import Batch, Envelope
from provisioning.cityhall.staff.box_status import STATES
from provisioning.cityhall.staff.session import COOKIE
from provisioning.cityhall.staff.words import words
from provisioning.cityhall.wiring import authority_folder
from tests.provisioning.cityhall.conftest import Hall

PASSWORD = "correct horse battery"
MAX_WRONG = MAX_TRIES[Counted.PAIR]


@pytest.fixture
def client(small_hall: Hall) -> Iterator[FlaskClient]:
    service = small_hall.service
    service.staff.set_password("hanako", PASSWORD)
    with create_staff_app(service.pages, open_log("cityhall")).test_client() as opened:
        yield opened


def log_in(client: FlaskClient, name: str = "hanako", password: str = PASSWORD) -> TestResponse:
    return client.post("/login", base_url="https://localhost", data={"name": name, "password": password})


def get(client: FlaskClient, path: str) -> TestResponse:
    return client.get(path, base_url="https://localhost")


def token(client: FlaskClient) -> str:
    found = re.search(r'name="token" value="([0-9a-f]{64})"', get(client, "/").text)
    assert found
    return found[1]


def post(client: FlaskClient, path: str, **fields: str) -> TestResponse:
    return client.post(path, base_url="https://localhost", data=fields)


def beat(hall: Hall, box: str, **facts: object) -> None:
    message = {"id": str(Uuid7().make(hall.now * 1000)), "kind": "heartbeat", "at": hall.now, "count": 1}
    taken = msgspec.convert({**message, "facts": facts}, Envelope)
    assert list(hall.service.intake.take(box, Batch(hall.now, [taken])).values()) == ["stored"]


@pytest.mark.parametrize("path", ["/", "/enrolments", "/codes", "/actions", "/boxes/plaza-1", "/password"])
def test_nobody_reads_a_page_without_logging_in(client: FlaskClient, path: str) -> None:
    answer = get(client, path)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/login")


@pytest.mark.parametrize("path", ["/enrolments/abc", "/codes", "/boxes/plaza-1/revoke", "/logout", "/password"])
def test_nobody_does_anything_without_logging_in(client: FlaskClient, path: str) -> None:
    assert post(client, path).headers["Location"] == "/login"


def test_a_log_in_sets_a_cookie_that_scripts_and_other_sites_can_not_use(client: FlaskClient) -> None:
    answer = log_in(client)
    assert answer.status_code == 303
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith(COOKIE)
    for part in ("Secure", "HttpOnly", "SameSite=Strict", "Path=/"):
        assert part in cookie
    assert "hanako" in get(client, "/").text


def test_a_wrong_name_and_a_wrong_password_read_alike(client: FlaskClient) -> None:
    wrong = [log_in(client, "hanako", "wrong"), log_in(client, "nobody", PASSWORD)]
    assert [a.status_code for a in wrong] == [403, 403]
    assert wrong[0].text.replace("hanako", "nobody") == wrong[1].text


def test_guessing_is_slowed_down_and_then_forgiven(client: FlaskClient, small_hall: Hall) -> None:
    for _ in range(MAX_WRONG):
        log_in(client, password="guess")
    assert log_in(client).status_code == 429
    small_hall.clock.advance(15 * 60)
    assert log_in(client).status_code == 303


def actions(hall: Hall) -> list[tuple[str, str, str]]:
    return [(action.staff, action.action, action.box) for action in hall.service.records.staff_actions()]


def test_that_an_account_was_shut_is_written_down_once(client: FlaskClient, small_hall: Hall) -> None:
    for _ in range(MAX_WRONG + 1):
        log_in(client, password="guess")
    shut = [action for action in actions(small_hall) if action[1] == "log_in_slowed"]
    assert shut == [("hanako", "log_in_slowed", "")]


def new_password(client: FlaskClient, **fields: str) -> TestResponse:
    plain = {"now": PASSWORD, "new": "a new password of mine", "again": "a new password of mine"}
    return post(client, "/password", token=token(client), **{**plain, **fields})


def test_staff_change_their_own_password_and_every_session_ends(client: FlaskClient, small_hall: Hall) -> None:
    log_in(client)
    assert get(client, "/password").status_code == 200
    assert new_password(client).headers["Location"] == "/login"
    assert get(client, "/").status_code == 303
    assert log_in(client).status_code == 403
    assert log_in(client, password="a new password of mine").status_code == 303
    assert ("hanako", "password_set", "") in actions(small_hall)


@pytest.mark.parametrize(
    ("fields", "status"),
    [({"now": "guess"}, 403), ({"again": "another"}, 400), ({"new": "short", "again": "short"}, 400)],
)
def test_a_password_is_not_changed_by_a_slip(client: FlaskClient, fields: dict[str, str], status: int) -> None:
    log_in(client)
    answer = new_password(client, **fields)
    assert answer.status_code == status
    assert "変更していません" in answer.text
    assert "short" not in answer.text
    assert get(client, "/").status_code == 200


def test_guessing_the_present_password_is_slowed_down_too(client: FlaskClient) -> None:
    log_in(client)
    for _ in range(MAX_WRONG):
        new_password(client, now="guess")
    assert new_password(client).status_code == 429


def test_a_closed_account_ends_at_once_and_is_written_down(client: FlaskClient, small_hall: Hall) -> None:
    log_in(client)
    assert small_hall.service.staff.close("hanako")
    assert get(client, "/").status_code == 303
    assert log_in(client).status_code == 403
    assert ("hanako", "account_closed", "hanako") in actions(small_hall)
    assert [one[:3] for one in small_hall.service.staff.accounts()] == [("hanako", False, small_hall.now)]


def test_a_known_key_that_came_back_by_itself_is_written_down(client: FlaskClient, small_hall: Hall) -> None:
    small_hall.enrolled("plaza-1")
    small_hall.ask("plaza-1", small_hall.code("plaza-1"))
    assert ("", "recognised", "plaza-1") in actions(small_hall)
    log_in(client)
    assert "自動" in get(client, "/actions").text


def test_findings_are_told_in_words_with_the_next_step(client: FlaskClient, small_hall: Hall) -> None:
    small_hall.enrolled("plaza-1")
    beat(small_hall, "plaza-1", version="1", findings=["page_printer.paper_out", "unit.failed", "of.tomorrow"])
    log_in(client)
    assert "A4プリンターの用紙がありません" in get(client, "/").text
    detail = get(client, "/boxes/plaza-1?lang=en").text
    for said in ("The A4 printer has no paper", "Refill the paper.", "… has failed", "of.tomorrow"):
        assert said in detail
    assert "{" not in detail.split("<main")[1]


def test_a_box_is_shown_with_the_place_that_staff_know(small_hall: Hall) -> None:
    small_hall.enrolled("plaza-1")
    service = small_hall.service
    service.staff.set_password("hanako", PASSWORD)
    named = msgspec.structs.replace(small_hall.settings, places={"plaza-1": ["見本公民館", "TEST Centre"]})
    pages = replace(service.pages, settings=named)
    with create_staff_app(pages, open_log("cityhall")).test_client() as client:
        log_in(client)
        assert "見本公民館" in get(client, "/").text
        assert "TEST Centre" in get(client, "/boxes/plaza-1?lang=en").text


def test_what_a_silent_box_told_last_is_not_shown_as_how_it_is(client: FlaskClient, small_hall: Hall) -> None:
    small_hall.enrolled("plaza-1")
    beat(small_hall, "plaza-1", version="1", findings=[], page_paper="ready")
    log_in(client)
    assert 'class="stale"' not in get(client, "/").text
    small_hall.clock.advance(20 * 60)
    assert 'data-state="silent" class="stale"' in get(client, "/").text


@pytest.mark.parametrize("left", [59, 61])
def test_staff_are_told_before_the_service_s_own_credential_ends(small_hall: Hall, left: int) -> None:
    ends = CredentialEnds(server=small_hall.now + left * 86400, city=small_hall.now + 400 * 86400)
    assert warnings(ends, small_hall.now) == ([("server_expires", 59)] if left == 59 else [])


def test_the_city_s_ca_is_told_a_year_before(client: FlaskClient, small_hall: Hall) -> None:
    log_in(client)
    assert "認証局" not in get(client, "/").text
    folder = authority_folder(small_hall.state)
    ends = ends_of(folder.folder / SERVER_FILE, folder.certificate)
    assert ends.city is not None
    assert ends.server is not None
    assert [word for word, _ in warnings(ends, ends.city - 86400)] == ["server_expires", "city_expires"]
    assert ends_of(folder.folder / "none", folder.certificate).server is None


@pytest.mark.parametrize("pause", [IDLE_SECONDS + 1, LONGEST_SECONDS + 1])
def test_a_session_ends_by_itself(client: FlaskClient, small_hall: Hall, pause: int) -> None:
    log_in(client)
    for _ in range(pause // (IDLE_SECONDS - 60)):  # busy all the time
        small_hall.clock.advance(IDLE_SECONDS - 60)
        get(client, "/")
    small_hall.clock.advance(pause % (IDLE_SECONDS - 60) + (IDLE_SECONDS if pause < LONGEST_SECONDS else 61))
    assert get(client, "/").status_code == 303


def test_a_list_left_open_reads_itself_anew_and_does_not_keep_the_session(
    client: FlaskClient, small_hall: Hall
) -> None:
    log_in(client)
    found = re.search(r'http-equiv="refresh" content="60; url=([^"]+)"', get(client, "/?state=well").text)
    assert found
    again = found[1].replace("&amp;", "&")
    assert "state=well" in again
    small_hall.clock.advance(IDLE_SECONDS - 60)
    assert get(client, again).status_code == 200
    small_hall.clock.advance(120)
    assert get(client, again).headers["Location"] == "/login"


def test_logging_out_ends_the_session_at_the_server(client: FlaskClient) -> None:
    log_in(client)
    kept = client.get_cookie(COOKIE)
    assert kept is not None
    post(client, "/logout", token=token(client))
    client.set_cookie(COOKIE, kept.value, secure=True)
    assert get(client, "/").status_code == 303


def test_a_closed_account_is_out_at_once(client: FlaskClient, small_hall: Hall) -> None:
    log_in(client)
    assert small_hall.service.staff.close("hanako")
    assert get(client, "/").status_code == 303
    assert log_in(client).status_code == 403


def test_a_form_from_elsewhere_is_refused(client: FlaskClient, small_hall: Hall) -> None:
    small_hall.enrolled("plaza-1")
    log_in(client)
    fields = {"typed": "plaza-1", "token": token(client)}
    assert post(client, "/boxes/plaza-1/revoke", typed="plaza-1").status_code == 403
    assert post(client, "/boxes/plaza-1/revoke", typed="plaza-1", token="漢字").status_code == 403
    other = {"Sec-Fetch-Site": "cross-site"}
    crossed = client.post("/boxes/plaza-1/revoke", base_url="https://localhost", data=fields, headers=other)
    assert crossed.status_code == 403
    found = small_hall.service.records.box("plaza-1")
    assert found is not None
    assert found.state == "active"


def test_staff_approve_a_box_on_the_page(client: FlaskClient, small_hall: Hall) -> None:
    asked = small_hall.ask("plaza-1", small_hall.code("plaza-1"))
    log_in(client)
    assert small_hall.box("plaza-1").fingerprint() in get(client, "/enrolments").text
    post(client, f"/enrolments/{asked.id}", decision="approve", token=token(client))
    assert 'data-box="plaza-1" data-state="never"' in get(client, "/").text
    assert post(client, f"/enrolments/{asked.id}", decision="perhaps", token=token(client)).status_code == 400


def test_a_code_made_on_the_page_is_shown_once_and_works(client: FlaskClient, small_hall: Hall) -> None:
    log_in(client)
    found = re.search(r"data-code>([0-9A-Z-]{19})<", post(client, "/codes", box="plaza-1", token=token(client)).text)
    assert found
    assert found[1] not in get(client, "/codes").text
    assert small_hall.ask("plaza-1", found[1]).state == "pending"
    assert post(client, "/codes", box="Plaza 1", token=token(client)).status_code == 400


def test_revoking_needs_the_boxs_name_typed(client: FlaskClient, small_hall: Hall) -> None:
    small_hall.enrolled("plaza-1")
    log_in(client)
    assert post(client, "/boxes/plaza-1/revoke", typed="plaza-2", token=token(client)).status_code == 400
    post(client, "/boxes/plaza-1/revoke", typed="plaza-1", token=token(client))
    assert 'data-state="revoked"' in get(client, "/").text


def test_the_list_puts_first_what_needs_hands(client: FlaskClient, small_hall: Hall) -> None:
    for name in ("a-well", "b-jam", "c-silent", "d-finding", "e-never"):
        small_hall.enrolled(name)
    beat(small_hall, "c-silent")
    small_hall.clock.advance(small_hall.settings.silent_minutes * 60 + 1)
    beat(small_hall, "a-well", version="1.2.3", page_paper="ready")
    beat(small_hall, "b-jam", page_paper="jam")
    beat(small_hall, "d-finding", findings=["clock.unsynchronised"])
    log_in(client)
    shown = re.findall(r'data-box="([^"]+)" data-state="([^"]+)"', get(client, "/").text)
    states = ["trouble", "silent", "attention", "never", "well"]
    assert shown == list(zip(["b-jam", "c-silent", "d-finding", "e-never", "a-well"], states, strict=True))
    assert re.findall(r'data-box="([^"]+)"', get(client, "/?state=silent").text) == ["c-silent"]


def test_a_credential_about_to_end_draws_attention(client: FlaskClient, small_hall: Hall) -> None:
    small_hall.enrolled("plaza-1")
    for days_more, state in ((22, "well"), (2, "attention"), (7, "expired")):
        small_hall.clock.advance(days_more * 86400)
        beat(small_hall, "plaza-1")
        log_in(client)
        assert f'data-state="{state}"' in get(client, "/").text


def test_what_a_box_says_can_not_put_markup_on_the_page(client: FlaskClient, small_hall: Hall) -> None:
    log_in(client)
    answer = post(client, "/codes", box="<script>alert(1)</script>", token=token(client))
    assert "<script>" not in answer.text
    assert "script-src" not in answer.headers["Content-Security-Policy"]
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")


def test_pages_come_in_japanese_first_and_stay_in_the_chosen_language(client: FlaskClient) -> None:
    assert '<html lang="ja">' in get(client, "/login").text
    assert '<html lang="en">' in get(client, "/login?lang=en").text
    assert '<html lang="en">' in get(client, "/login").text


def test_a_page_that_is_not_there_says_so_with_a_way_on(client: FlaskClient) -> None:
    log_in(client)
    answer = get(client, "/boxes/nobody")
    assert answer.status_code == 404
    assert 'data-page="error"' in answer.text


def test_both_languages_have_every_word_that_templates_and_codes_use() -> None:
    ja, en = words("ja"), words("en")
    assert ja.keys() == en.keys()
    folder = resources.files("provisioning.cityhall") / "templates"
    used = {word for f in folder.iterdir() for word in re.findall(r'\bw\("(\w+)"', f.read_text("utf-8"))}
    codes = {f"states.{s}" for s in STATES} | {f"papers.{c.value}" for c in Condition}
    assert used | codes | {f"messages_of.{k}" for k in known_kinds()} <= ja.keys()
