"""Vouchers on paper: one receipt each, or A4 pages to cut. Pure."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, select_autoescape

from captive_portal.portal.languages import Catalogue
from captive_portal.portal.login.voucher import Batch, show_code
from device.printer.status import Receipt, ReceiptLine, ReceiptRule

PER_PAGE = 15
"""Three columns of five on A4: the longest language still has room for all its lines."""


def receipts(batch: Batch, words: Catalogue, title: str, ssid: str = "") -> list[Receipt]:
    """One slip per voucher for the receipt printer. title: the spot's name as people know it; ssid: the radio's."""
    return [_receipt(batch, code, words, title, ssid) for code in batch.codes]


def _receipt(batch: Batch, code: str, words: Catalogue, title: str, ssid: str) -> Receipt:
    radio = [ReceiptLine(f"Wi-Fi: {ssid}", align="center")] if ssid else []
    minutes = [ReceiptLine(words.plain("sheet_minutes", minutes=batch.minutes))] if batch.minutes else []
    return (
        ReceiptLine(title, align="center"),
        ReceiptLine(words.plain("sheet_title"), size=2, align="center", bold=True),
        *radio,
        ReceiptRule(),
        ReceiptLine(words.plain("sheet_use")),
        ReceiptLine(show_code(code), size=2, align="center", bold=True),
        ReceiptRule(),
        *minutes,
        ReceiptLine(words.plain("sheet_until", day=batch.valid_until.date().isoformat()), right=batch.batch),
    )


def pages(batch: Batch, words: Catalogue, title: str, ssid: str = "") -> str:
    """One HTML document of A4 pages with PER_PAGE vouchers each, to print from any browser; it loads nothing."""
    shown = [show_code(code) for code in batch.codes]
    environment = Environment(loader=PackageLoader("captive_portal.portal"), autoescape=select_autoescape(["html"]))
    return environment.get_template("sheet.html").render(
        t=words,
        title=title,
        ssid=ssid,
        batch=batch.batch,
        minutes=batch.minutes,
        day=batch.valid_until.date().isoformat(),
        sheets=[shown[i : i + PER_PAGE] for i in range(0, len(shown), PER_PAGE)],
    )
