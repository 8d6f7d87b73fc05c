"""A resident taps a card and a certificate comes out: the papers, the record of it, and what stands nowhere."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image

from device.audit import Audit
from device.card.virtual.pki import DEMO_PIN
from device.clock import SystemClock
from device.store import Store
from kiosk.issuer.register.records import ResidentRecord
from kiosk.issuer.seal.seal import Verdict
from kiosk.issuer.seal.seal_keys import public_keys
from kiosk.issuer.seal.seal_reading import judge_file
from kiosk.issuer.wiring import LEDGER_MIGRATIONS
from kiosk.schema import KIOSK_MIGRATIONS
from tests.journeys.conftest import Visit

PATH = ["asked", "authorised", "quoted", "prepared", "paid", "printing", "printed", "delivered"]


def summary(visit: Visit) -> dict[str, object]:
    loaded: dict[str, object] = json.loads((visit.out / "summary.json").read_text("utf-8"))
    return loaded


@pytest.mark.needs("poppler")
def test_the_certificate_holds_the_whole_household_with_their_exact_characters(
    visit: Visit, demo_resident: list[ResidentRecord]
) -> None:
    paper = visit.out / "certificate.pdf"
    text = subprocess.run(["pdftotext", str(paper), "-"], capture_output=True, check=True).stdout.decode()
    assert [r.name for r in demo_resident if r.name not in text] == []
    assert any("\U000e0102" in r.name for r in demo_resident)
    assert str(summary(visit)["issue_number"]) in text


@pytest.mark.parametrize(
    ("paper", "verdict"), [("certificate.pdf", Verdict.GENUINE), ("certificate.png", Verdict.NOT_COMPARED)]
)
def test_the_paper_as_printed_bears_the_seal_of_this_very_certificate(
    visit: Visit, paper: str, verdict: Verdict
) -> None:
    judged = judge_file((visit.out / paper).read_bytes(), public_keys(visit.out))
    assert judged.verdict is verdict
    assert [seal.facts.number for seal in judged.seals if seal.facts] == [summary(visit)["issue_number"]]
    assert all(seal.key.startswith("TEST") for seal in judged.seals)


def test_the_request_went_through_every_state_in_order(visit: Visit) -> None:
    told = summary(visit)
    assert [move["state"] for move in told["states"]] == PATH  # type: ignore[attr-defined]
    assert told["pages_printed"] == 1
    assert 6 <= int(str(told["apdus"])) <= 24


def test_the_receipt_carries_a_code_with_the_issue_number_and_nobodys_name(
    visit: Visit, demo_resident: list[ResidentRecord]
) -> None:
    (code,) = zxingcpp.read_barcodes(Image.open(visit.out / "receipt.png"))
    assert str(summary(visit)["issue_number"]) in code.text
    assert not any(r.name in code.text for r in demo_resident)


def test_the_printed_page_is_a_whole_sheet_of_a4(visit: Visit) -> None:
    width, height = Image.open(visit.out / "certificate.png").size
    assert abs(height / width - 297 / 210) < 0.01


def test_the_audit_of_kiosk_and_issuer_holds(visit: Visit) -> None:
    with closing(Store(visit.state / "kiosk" / "kiosk.db", KIOSK_MIGRATIONS)) as kiosk:
        events = [line.event for line in Audit(kiosk, SystemClock()).lines()]
        Audit(kiosk, SystemClock()).verify()
    assert {"visit_started", "pin_checked", "resident_authenticated", "fee_taken", "receipt_printed"} <= set(events)
    assert events.count("request_moved") == len(PATH)


def personal(residents: list[ResidentRecord]) -> dict[str, bytes]:
    """What must stand nowhere outside the register: names, readings, addresses, of the whole household (N3)."""
    found = {f"name {r.resident}": r.name for r in residents} | {f"kana {r.resident}": r.kana for r in residents}
    found |= {"given": "𠮷乃", "domicile": residents[0].domicile, "previous": residents[0].previous_address}
    return {what: value.encode() for what, value in found.items()}


def test_no_name_and_no_address_stands_in_any_log_database_or_process(
    visit: Visit, demo_resident: list[ResidentRecord]
) -> None:
    # The register holds them, the papers show them, and the virtual printer's folder is those papers.
    kept = [f for f in visit.state.rglob("*") if f.is_file() and "virtual" not in f.parts and "register" not in f.name]
    assert {"kiosk.db", "kiosk.log", "ledger.db"} <= {f.name for f in kept}
    places = {str(f): f.read_bytes() for f in kept} | {"processes": visit.processes}
    places |= {f"{f} as json": f.read_bytes().decode("utf-8", "replace").encode("unicode_escape") for f in kept}
    leaks = [(w, p) for w, value in personal(demo_resident).items() for p, text in places.items() if value in text]
    assert leaks == []


def test_the_pin_stands_in_no_log_audit_or_process(visit: Visit) -> None:
    lines = [line for log in (visit.state / "log").glob("*.log") for line in log.read_text("utf-8").splitlines()]
    assert not [line for line in lines if f'"{DEMO_PIN}"' in line or f"pin={DEMO_PIN}" in line]
    assert f"={DEMO_PIN}\0".encode() not in visit.processes
    assert f"\0{DEMO_PIN}\0".encode() not in visit.processes
    assert pin_cells(visit.state / "kiosk" / "kiosk.db") == []


def pin_cells(database: Path) -> list[tuple[str, str]]:
    """Cells of the kiosk's database in which the PIN stands as a word of its own."""
    with closing(sqlite3.connect(database)) as opened:
        tables = [str(r[0]) for r in opened.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        rows = [(t, str(cell)) for t in tables for row in opened.execute(f"SELECT * FROM {t}") for cell in row]  # noqa: S608
    return [(t, cell) for t, cell in rows if cell == DEMO_PIN or f'"{DEMO_PIN}"' in cell]


def test_the_issuers_ledger_knows_that_the_paper_was_delivered(visit: Visit) -> None:
    with closing(Store(visit.state / "issuer" / "ledger.db", LEDGER_MIGRATIONS)) as store:
        settled = [line.facts for line in Audit(store, SystemClock()).lines() if line.event == "certificate_settled"]
    assert [facts["outcome"] for facts in settled] == ["delivered"]
