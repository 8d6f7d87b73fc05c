"""Vouchers on paper: one receipt each, or A4 pages to cut. Pure, but for reading the fonts."""

from __future__ import annotations

from functools import partial

from jinja2 import Environment, PackageLoader, select_autoescape
from markupsafe import Markup

from captive_portal.portal.languages import Catalogue
from captive_portal.portal.login.voucher import Batch, show_code
from device.font_faces import Shown, font_faces
from device.printer.status import Receipt, ReceiptLine, ReceiptRule

PER_PAGE = 15
"""Three columns of five on A4: the longest language still has room for all its lines."""
_ANY = {"minutes": "", "day": ""}


def receipts(batch: Batch, words: Catalogue, title: str, ssid: str = "") -> list[Receipt]:
    """One slip per voucher for the receipt printer. title: the spot's name; ssid: the Wi-Fi's."""
    return [_receipt(batch, code, words, title, ssid) for code in batch.codes]


def _receipt(batch: Batch, code: str, words: Catalogue, title: str, ssid: str) -> Receipt:
    line = partial(ReceiptLine, language=words.code)
    radio = [line(f"Wi-Fi: {ssid}", align="center")] if ssid else []
    minutes = [line(words.plain("sheet_minutes", minutes=batch.minutes))] if batch.minutes else []
    return (
        line(title, align="center"),
        line(words.plain("sheet_title"), size=2, align="center", bold=True),
        *radio,
        ReceiptRule(),
        line(words.plain("sheet_use")),
        ReceiptLine(show_code(code), size=2, align="center", bold=True),
        ReceiptRule(),
        *minutes,
        line(words.plain("sheet_until", day=batch.valid_until.date().isoformat()), right=batch.batch),
    )


def pages(batch: Batch, words: Catalogue, title: str, ssid: str = "") -> str:
    """One HTML document of A4 pages with PER_PAGE vouchers each, to print from any browser on any computer: it brings
    its fonts and loads nothing. Raises GlyphMissing and FontMissing.
    """
    shown = [show_code(code) for code in batch.codes]
    day = batch.valid_until.date().isoformat()
    environment = Environment(loader=PackageLoader("captive_portal.portal"), autoescape=select_autoescape(["html"]))
    return environment.get_template(
        "voucher_sheet.html"
    ).render(
        t=words,
        title=title,
        ssid=ssid,
        batch=batch.batch,
        minutes=batch.minutes,
        day=day,
        faces=Markup(_faces(batch, words, f"{title}{day}", ssid)),  # noqa: S704 - our own style sheet
        sheets=[shown[i : i + PER_PAGE] for i in range(0, len(shown), PER_PAGE)],
    )


def _faces(batch: Batch, words: Catalogue, names: str, ssid: str) -> str:
    """The fonts, for all text of a sheet. names: text that no locale file holds."""
    sentences = "".join(
        words.plain(key, **_ANY) for key in ("sheet_title", "sheet_use", "sheet_minutes", "sheet_until")
    )
    text = f"{sentences}{names}{batch.batch}Wi-Fi: 0123456789"
    codes = "".join(show_code(code) for code in batch.codes)
    return font_faces(words.code, [Shown(text), Shown(text, bold=True), Shown(f"{codes}{ssid}", bold=True, fixed=True)])
