"""The health gate: steady, within its time, or not at all."""

from __future__ import annotations

import http.server
import sys
import threading
from collections.abc import Iterator

import pytest

from provisioning.box.health import TIMES, Check, HealthWait, command_check, url_check
from tests.provisioning.updates.city import clock_at


def gate(check: Check, seconds: float = 60) -> HealthWait:
    clock = clock_at("2026-11-01")
    return HealthWait([check], seconds, clock=clock, sleep=clock.advance)


def says(*answers: str) -> Check:
    left = list(answers)
    return lambda: left.pop(0) if len(left) > 1 else left[0]


def test_a_release_that_comes_up_late_but_in_time_is_healthy() -> None:
    assert gate(says(*["starting"] * 50, "")).wait() == ""


def test_a_release_that_does_not_come_up_in_time_is_not() -> None:
    assert gate(says("refused")).wait() == "refused"


def test_a_release_that_comes_up_after_its_time_is_not() -> None:
    assert gate(says(*["starting"] * 70, "")).wait() == "starting"


def test_a_program_that_comes_and_goes_is_not_healthy() -> None:
    flapping = says(*["", "", "died"] * 30)
    assert gate(flapping).wait() != ""


def test_without_any_check_nothing_is_healthy() -> None:
    assert HealthWait([]).wait() == "no health check is set"


@pytest.mark.parametrize(("code", "said"), [("", ""), ("raise SystemExit(3)", f"{sys.executable}: exit 3")])
def test_a_command_is_healthy_when_it_ends_with_zero(code: str, said: str) -> None:
    assert command_check([sys.executable, "-c", code])() == said


def test_a_command_that_does_not_exist_is_told_by_name() -> None:
    assert command_check(["/nowhere/doctor"])() == "/nowhere/doctor: FileNotFoundError"


class Pages(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/state" else 503)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def kiosk() -> Iterator[str]:
    server = http.server.HTTPServer(("127.0.0.1", 0), Pages)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_page_is_healthy_when_it_answers_200(kiosk: str) -> None:
    assert url_check(f"{kiosk}/state")() == ""
    assert "503" in url_check(f"{kiosk}/broken")()


def test_a_page_where_nobody_listens_is_not_healthy(kiosk: str) -> None:
    assert url_check("http://127.0.0.1:1/state")() != ""


def test_health_is_asked_several_times() -> None:
    asked: list[int] = []
    assert gate(lambda: asked.append(1) or "").wait() == ""  # type: ignore[func-returns-value]
    assert len(asked) == TIMES
