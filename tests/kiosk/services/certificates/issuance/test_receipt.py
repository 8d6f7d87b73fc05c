"""What stands on the receipt."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from device.clock import JST
from device.printer.status import ReceiptLine, ReceiptQr
from kiosk.services.certificates.issuance.receipt import REQUIRED_WORDS, ReceiptFacts, receipt_of

WORDS = {key: f"<{key.removeprefix('receipt.')}>" for key in REQUIRED_WORDS} | {
    "receipt.date_time": "{year}-{month}-{day} {time}",
    "receipt.copies_value": "{copies} c.",
    "receipt.yen": "{yen} yen",
    "receipt.questions": "Questions: {telephone}",
}
FACTS = ReceiptFacts(
    city="Test City",
    telephone="06-0000-0000",
    at=datetime(2026, 11, 23, 9, 5, tzinfo=JST),
    certificate="Certificate of residence",
    copies=4,
    fee_yen=1200,
    method="counter",
    issue_number="R8-000001-7",
    request="0a1b2c3d-0000-4000-8000-000000000000",
)


def _texts(facts: ReceiptFacts) -> list[tuple[str, str]]:
    return [(part.text, part.right) for part in receipt_of(facts, WORDS) if isinstance(part, ReceiptLine)]


def test_the_receipt_says_who_what_when_and_how_much() -> None:
    texts = _texts(FACTS)
    for line in (
        ("Test City", ""),
        ("2026-11-23 09:05", ""),
        ("<certificate>", "Certificate of residence"),
        ("<copies>", "4 c."),
        ("<fee>", "1,200 yen"),
        ("<payment>", "<method.counter>"),
        ("<issue_number>", "R8-000001-7"),
        ("<request>", "0A1B2C3D"),
        ("Questions: 06-0000-0000", ""),
    ):
        assert line in texts


def test_the_qr_code_finds_the_request_again() -> None:
    codes = [part.text for part in receipt_of(FACTS, WORDS) if isinstance(part, ReceiptQr)]
    assert codes == [f"HIROBA1:{FACTS.issue_number}:{FACTS.request}"]


@pytest.mark.parametrize("missing", REQUIRED_WORDS)
def test_no_required_word_is_idle(missing: str) -> None:
    words = {key: text for key, text in WORDS.items() if key != missing}
    method = missing.rpartition(".")[2] if ".method." in missing else "counter"
    with pytest.raises(KeyError, match=missing):
        receipt_of(replace(FACTS, method=method), words)
