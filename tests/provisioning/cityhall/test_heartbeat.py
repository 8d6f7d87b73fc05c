"""What a box tells of itself, and what it leaves out."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from device.audit import AUDIT_MIGRATIONS, Audit
from device.clock import HeldClock
from device.outbox import OUTBOX_MIGRATIONS, Fact, Outbox
from device.printer.status import Condition
from device.store import Store
from provisioning.enrolment.heartbeat import HeartbeatSources, audit_end, make_heartbeat
from provisioning.enrolment.identity import Identity
from tests.provisioning.cityhall.conftest import START, Hall


class Kiosk:
    """Answers /state as the kiosk does."""

    def __init__(self) -> None:
        self.screen = "home"

    def serve(self) -> HTTPServer:
        kiosk = self

        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.end_headers()
                self.wfile.write(f'{{"screen": "{kiosk.screen}", "revision": 1}}'.encode())

            def log_message(self, *_: object) -> None:
                pass

        return HTTPServer(("127.0.0.1", 0), Answer)


@pytest.fixture
def kiosk() -> Iterator[tuple[Kiosk, tuple[str, int]]]:
    screen = Kiosk()
    server = screen.serve()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield screen, ("127.0.0.1", server.server_address[1])
    server.shutdown()
    thread.join()
    server.server_close()


def facts(folder: Path, **told: object) -> dict[str, Fact]:
    clock = HeldClock(START)
    outbox = Outbox(Store(folder / "outbox.db", OUTBOX_MIGRATIONS), clock)
    return make_heartbeat(HeartbeatSources(Identity(folder / "own"), clock, outbox, **told)).facts  # type: ignore[arg-type]  # named by each test


def test_a_bare_box_tells_what_it_runs_and_how_long(tmp_path: Path) -> None:
    assert facts(tmp_path).keys() == {"version", "uptime_s", "findings", "outbox_waiting"}


def test_a_kiosk_at_rest_tells_both_printers_paper(tmp_path: Path, kiosk: tuple[Kiosk, tuple[str, int]]) -> None:
    told = facts(
        tmp_path, kiosk=kiosk[1], receipt_paper=lambda: Condition.PAPER_LOW, page_paper=lambda: Condition.READY
    )
    assert (told["kiosk_open"], told["receipt_paper"], told["page_paper"]) == (True, "paper_low", "ready")


def test_the_receipt_printer_is_left_alone_while_someone_is_at_the_kiosk(
    tmp_path: Path, kiosk: tuple[Kiosk, tuple[str, int]]
) -> None:
    kiosk[0].screen = "printing"
    asked: list[bool] = []

    def ask() -> Condition:
        asked.append(True)
        return Condition.READY

    assert "receipt_paper" not in facts(tmp_path, kiosk=kiosk[1], receipt_paper=ask)
    assert asked == []


def test_a_closed_or_silent_kiosk_is_not_open(tmp_path: Path, kiosk: tuple[Kiosk, tuple[str, int]]) -> None:
    kiosk[0].screen = "closed"
    assert facts(tmp_path / "a", kiosk=kiosk[1])["kiosk_open"] is False
    assert facts(tmp_path / "b", kiosk=("127.0.0.1", 1))["kiosk_open"] is False


def test_the_end_of_an_audit_goes_along_so_that_a_cut_tail_shows(tmp_path: Path) -> None:
    audit = Audit(Store(tmp_path / "kiosk.db", AUDIT_MIGRATIONS), HeldClock(START))
    for _ in range(3):
        audit.record("kiosk_reopened")
    told = facts(tmp_path, audits={"kiosk": tmp_path / "kiosk.db", "gate": tmp_path / "missing.db"})
    assert (told["audit_kiosk"], told["audit_kiosk_lines"]) == (audit.verify(), 3)
    assert "audit_gate" not in told


def test_reading_an_audit_makes_no_file_where_there_is_none(tmp_path: Path) -> None:
    assert audit_end("kiosk", tmp_path / "kiosk.db") == {}
    assert list(tmp_path.iterdir()) == []


def test_the_days_left_of_the_credential_go_along(tmp_path: Path, small_hall: Hall) -> None:
    Identity(tmp_path / "own").keep(_credential(small_hall, tmp_path))
    assert facts(tmp_path)["certificate_days_left"] == small_hall.settings.box_certificate_days


def _credential(hall: Hall, folder: Path) -> str:
    asked = hall.ask("plaza-1", hall.code("plaza-1"), Identity(folder / "own"))
    hall.service.enrolments.approve(asked.id, "hanako")
    answer = hall.service.records.decided()
    return answer[0].certificate


def test_certificates_fetched_and_voided_are_told(tmp_path: Path) -> None:
    told: dict[str, Fact] = {"documents_given": 12, "documents_voided": 11, "issuer_kiosks_voiding": ["plaza-1"]}
    found = facts(tmp_path, documents=lambda: told)
    assert {name: found[name] for name in told} == told
