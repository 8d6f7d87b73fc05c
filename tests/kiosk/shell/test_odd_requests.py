"""Requests that no page of ours sends: nobody's visit ends by them, none is a dead end, and no log quotes one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.kiosk.conftest import QuietLog, Visitor

MULTIPART = {"Content-Type": "multipart/form-data"}


@pytest.mark.parametrize(
    "origin", ["http://[", "http://]/", "null", "", "//", "http://127.0.0.1:1", "https://localhost"]
)
def test_an_origin_that_is_none_of_ours_is_refused_and_ends_no_visit(visitor: Visitor, origin: str) -> None:
    before = visitor.to_choice().screen
    sent = visitor.client.post("/action/home", data={"token": "x"}, headers={"Origin": origin})
    assert (sent.status_code, visitor.screen) == (403, before)


@pytest.mark.parametrize("sent", [b"token=" + b"x" * 9000, b"a=1&" * 2000])
def test_a_form_that_cannot_be_read_leads_to_the_present_screen(visitor: Visitor, sent: bytes) -> None:
    before = visitor.to_choice().screen
    for path in ("/action/home", "/choose-certificate/choose-residence_record", "/awake", "/nowhere"):
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = visitor.client.post(path, data=sent, headers=form, follow_redirects=True)
        assert answer.status_code in (200, 204)
        assert visitor.screen == before
    assert visitor.client.post("/action/home", data=b"abc", headers=MULTIPART, follow_redirects=True).status_code == 200


def test_an_error_of_ours_ends_the_visit_and_is_told_without_its_message(
    visitor: Visitor, log: QuietLog, capfd: pytest.CaptureFixture[str]
) -> None:
    errors = iter([ValueError("PIN 1234")])

    def fail_once() -> None:
        if error := next(errors, None):
            raise error

    visitor.to_choice()
    visitor.simulator.kiosk.app.before_request_funcs[None].append(fail_once)
    assert visitor.look().screen == "trouble"
    assert "PIN 1234" not in "".join([*capfd.readouterr(), *log.lines])
    assert [line for line in log.lines if line.startswith("page_failed {'error': 'ValueError'")]
