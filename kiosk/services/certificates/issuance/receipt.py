"""What stands on the receipt: pure content, no layout and no prose. Nothing personal stands on it (N3, N5).

Words come from the screens' catalogue in the visitor's language, under REQUIRED_WORDS.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from device.printer.status import Receipt, ReceiptLine, ReceiptQr, ReceiptRule

PAYMENT_METHODS = ("counter", "virtual", "free")
REQUIRED_WORDS: tuple[str, ...] = (
    "receipt.title",
    "receipt.date_time",
    "receipt.certificate",
    "receipt.copies",
    "receipt.copies_value",
    "receipt.fee",
    "receipt.yen",
    "receipt.payment",
    "receipt.issue_number",
    "receipt.request",
    "receipt.verify",
    "receipt.questions",
    *(f"receipt.method.{method}" for method in PAYMENT_METHODS),
)
"""Keys the catalogue must hold. Placeholders: date_time {year} {month} {day} {time}; copies_value {copies}; yen {yen};
questions {telephone}.
"""


@dataclass(frozen=True)
class ReceiptFacts:
    """One delivered certificate. city, certificate: in the visitor's language. at: when the fee was taken."""

    city: str
    telephone: str
    at: datetime
    certificate: str
    copies: int
    fee_yen: int
    method: str
    issue_number: str
    request: str


def receipt_of(facts: ReceiptFacts, words: Mapping[str, str]) -> Receipt:
    """The receipt in the language of ``words``. Raises KeyError for a missing word."""
    at = facts.at
    when = words["receipt.date_time"].format(year=at.year, month=at.month, day=at.day, time=f"{at:%H:%M}")
    fee = words["receipt.yen"].format(yen=f"{facts.fee_yen:,}")
    return (
        ReceiptLine(facts.city, align="center"),
        ReceiptLine(words["receipt.title"], size=2, align="center", bold=True),
        ReceiptLine(when, align="center"),
        ReceiptRule(),
        _pair(words, "certificate", facts.certificate),
        _pair(words, "copies", words["receipt.copies_value"].format(copies=facts.copies)),
        ReceiptLine(words["receipt.fee"], right=fee, bold=True),
        _pair(words, "payment", words[f"receipt.method.{facts.method}"]),
        ReceiptRule(),
        _pair(words, "issue_number", facts.issue_number),
        _pair(words, "request", short(facts.request)),
        ReceiptRule(),
        ReceiptQr(qr_text(facts.issue_number, facts.request)),
        ReceiptLine(words["receipt.verify"], align="center"),
        ReceiptLine(words["receipt.questions"].format(telephone=facts.telephone), align="center"),
    )


def short(request: str) -> str:
    """The first eight signs of a request id, in capitals: enough for a person to read out at the counter."""
    return request[:8].upper()


def qr_text(issue_number: str, request: str) -> str:
    """What the receipt's QR code says: enough for staff to find the request, nothing about the person."""
    return f"HIROBA1:{issue_number}:{request}"


def _pair(words: Mapping[str, str], name: str, value: str) -> ReceiptLine:
    return ReceiptLine(words[f"receipt.{name}"], right=value)
