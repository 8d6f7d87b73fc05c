"""Logging in with a second factor, over the pages, with an app and a security key in software."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from device.logs import open_log
from provisioning.cityhall.accounts.authenticator_app import code_at
from provisioning.cityhall.accounts.limits import MAX_TRIES, Counted
from provisioning.cityhall.app import create_staff_app
from provisioning.cityhall.wiring import build_cityhall
from tests.fixtures.software_key import SoftwareKey
from tests.provisioning.cityhall.conftest import Hall, open_hall

PASSWORD = "correct horse battery"
HERE = "192.0.2.1"


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[Hall]:
    """Where a second factor is required, with one account."""
    opened = open_hall(tmp_path)
    settings = msgspec.structs.replace(opened.settings, second_factor="required")
    opened.service.database.close()
    opened.settings, opened.service = settings, build_cityhall(settings, tmp_path, opened.clock, open_log("cityhall"))
    opened.service.staff.set_password("hanako", PASSWORD)
    yield opened
    opened.service.database.close()


class Person:
    """Somebody at a browser at an address."""

    def __init__(self, hall: Hall, address: str = HERE, name: str = "hanako") -> None:
        self.hall, self.name, self.address = hall, name, address
        self.client: FlaskClient = create_staff_app(hall.service.pages, open_log("cityhall")).test_client()
        self.secret = ""

    def get(self, path: str) -> TestResponse:
        return self.client.get(path, base_url="https://localhost", environ_base={"REMOTE_ADDR": self.address})

    def post(self, path: str, page: str = "", **fields: str) -> TestResponse:
        if page:
            found = re.search(r'name="token" value="([0-9a-f]{64})"', page)
            assert found
            fields["token"] = found[1]
        where = {"REMOTE_ADDR": self.address}
        return self.client.post(path, base_url="https://localhost", data=fields, environ_base=where)

    def begin(self, password: str = PASSWORD) -> TestResponse:
        return self.post("/login", name=self.name, password=password)

    def enrol_app(self) -> list[str]:
        """Registers an app; the recovery codes."""
        assert self.begin().headers["Location"] == "/login/enrol"
        page = self.get("/login/enrol").text
        found = re.search(r"data-secret>([A-Z2-7 ]+)<", page)
        assert found
        self.secret = found[1].replace(" ", "")
        return re.findall(r"data-recovery>([0-9A-Z-]+)<", self.post("/login/enrol", page, code=self.code()).text)

    def code(self) -> str:
        return code_at(self.secret, self.hall.now)

    def second(self, code: str) -> TestResponse:
        return self.post("/login/second", self.get("/login/second").text, code=code)

    def is_in(self) -> bool:
        return self.get("/").status_code == 200


def options(page: str) -> str:
    found = re.search(r'data-options="([^"]+)"', page)
    assert found
    return html.unescape(found[1])


def later(hall: Hall, seconds: int = 60) -> None:
    hall.clock.advance(seconds)


def test_the_password_alone_opens_nothing(hall: Hall) -> None:
    person = Person(hall)
    person.begin()
    assert not person.is_in()
    for path in ("/login/second", "/login/enrol"):
        assert Person(hall).get(path).headers["Location"].startswith("/login?over")


def test_an_app_is_registered_at_the_first_log_in_and_asked_for_from_then_on(hall: Hall) -> None:
    person = Person(hall)
    assert len(person.enrol_app()) == 10
    assert person.is_in()
    other = Person(hall)
    other.secret = person.secret
    later(hall)
    assert other.begin().headers["Location"] == "/login/second"
    assert other.second("000000").status_code == 403
    assert other.second(other.code()).status_code == 303
    assert other.is_in()


def test_a_code_that_was_seen_is_of_no_use_and_neither_is_the_one_it_was_registered_with(hall: Hall) -> None:
    person, thief = Person(hall), Person(hall, "192.0.2.66")
    person.enrol_app()
    seen = person.code()
    thief.begin()
    assert thief.second(seen).status_code == 403
    assert not thief.is_in()


def test_a_recovery_code_works_once(hall: Hall) -> None:
    codes = Person(hall).enrol_app()
    for status in (303, 403):
        person = Person(hall)
        person.begin()
        assert person.second(codes[3]).status_code == status


def enrolled_key(hall: Hall) -> SoftwareKey:
    person, key = Person(hall), SoftwareKey(f"https://localhost:{hall.settings.staff_port}")
    person.begin()
    page = person.get("/login/enrol").text
    assert person.post("/login/enrol", page, answer=key.register(options(page))).status_code == 200
    assert person.is_in()
    return key


def with_key(hall: Hall, key: SoftwareKey) -> bool:
    person = Person(hall)
    person.begin()
    page = person.get("/login/second").text
    person.post("/login/second", page, answer=key.sign(options(page)))
    return person.is_in()


def test_a_security_key_logs_in(hall: Hall) -> None:
    key = enrolled_key(hall)
    assert with_key(hall, key)
    assert with_key(hall, key)


def test_a_copy_of_a_key_whose_counter_stands_still_is_refused(hall: Hall) -> None:
    key = enrolled_key(hall)
    assert with_key(hall, key)
    key.counter -= 1
    assert not with_key(hall, key)


def test_an_answer_for_another_site_or_an_answer_sent_twice_is_refused(hall: Hall) -> None:
    key, person = enrolled_key(hall), Person(hall)
    key.origin = "https://localhost.example"
    assert not with_key(hall, key)
    key.origin = f"https://localhost:{hall.settings.staff_port}"
    person.begin()
    page = person.get("/login/second").text
    answer = key.sign(options(page))
    assert person.post("/login/second", page, answer=answer).status_code == 303
    thief = Person(hall)
    thief.begin()
    page = thief.get("/login/second").text
    assert thief.post("/login/second", page, answer=answer).status_code == 403


def test_another_s_key_is_refused(hall: Hall) -> None:
    enrolled_key(hall)
    assert not with_key(hall, SoftwareKey(f"https://localhost:{hall.settings.staff_port}"))


def test_the_time_to_register_the_first_factor_ends_and_a_reset_begins_it_anew(hall: Hall) -> None:
    later(hall, hall.settings.second_factor_days * 86400 + 1)
    answer = Person(hall).begin()
    assert (answer.status_code, "期限" in answer.text) == (403, True)
    requests = hall.service.pages.requests
    hall.service.staff.set_password("jiro", PASSWORD)
    assert requests.reset("hanako", "期限が過ぎた", "jiro") == "account_waits"
    (asked,) = requests.pending()
    assert requests.decide(asked.number, "saburo", approve=True) == "account_done"
    assert Person(hall).enrol_app()


def test_a_session_shown_from_another_network_is_of_nobody(hall: Hall) -> None:
    person = Person(hall)
    person.enrol_app()
    person.address = "198.51.100.7"
    assert not person.is_in()


def test_a_log_in_under_way_ends_after_ten_minutes(hall: Hall) -> None:
    person = Person(hall)
    person.begin()
    page = person.get("/login/enrol").text
    later(hall, 601)
    assert person.post("/login/enrol", page, code="000000").headers["Location"].startswith("/login?over")


def test_every_session_ends_by_one_button_and_by_a_new_factor(hall: Hall) -> None:
    one, other = Person(hall), Person(hall)
    one.enrol_app()
    later(hall)
    other.secret = one.secret
    other.begin()
    other.second(other.code())
    assert one.is_in()
    assert other.is_in()
    one.post("/logout/everywhere", one.get("/factors").text)
    assert not one.is_in()
    assert not other.is_in()


def test_another_factor_takes_the_password_and_the_last_one_stays(hall: Hall) -> None:
    person = Person(hall)
    person.enrol_app()
    page = person.get("/factors").text
    assert person.post("/factors/add", page, now="guess").status_code == 403
    assert person.post("/factors/add", page, now=PASSWORD).headers["Location"] == "/login/enrol"
    (factor,), _ = hall.service.pages.log_ins.factors_of("hanako")
    assert person.post(f"/factors/{factor[0]}/remove", page, now=PASSWORD).status_code == 403


def test_codes_are_counted_like_passwords(hall: Hall) -> None:
    Person(hall).enrol_app()
    thief = Person(hall, "203.0.113.9")
    thief.begin()
    page = thief.get("/login/second").text
    answers = [thief.post("/login/second", page, code="000000").status_code for _ in range(MAX_TRIES[Counted.PAIR])]
    assert answers == [403] * (MAX_TRIES[Counted.PAIR] - 1) + [429]


def test_no_secret_stands_in_the_audit_or_plainly_in_the_database(hall: Hall) -> None:
    person = Person(hall)
    codes = person.enrol_app()
    hall.service.database.close()
    content = b"".join(file.read_bytes() for file in (hall.state / "fleet").glob("fleet.db*"))
    for secret in (PASSWORD, person.secret, codes[0], codes[0].replace("-", ""), person.code()):
        assert secret.encode() not in content
