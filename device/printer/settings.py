"""The [receipt_printer] and [page_printer] sections of the site file."""

from __future__ import annotations

from device.settings import Section


class ReceiptPrinterSettings(Section, frozen=True, kw_only=True):
    """A network ESC/POS printer (raw TCP, usually port 9100). width_dots: printable width at 203 dpi."""

    host: str = "127.0.0.1"
    port: int = 9100
    timeout_seconds: float = 5.0
    width_dots: int = 576


class PagePrinterSettings(Section, frozen=True, kw_only=True):
    """An IPP printer that takes application/pdf. uri as in ipp://host:631/ipp/print."""

    uri: str = "ipp://127.0.0.1:631/ipp/print"
    timeout_seconds: float = 5.0
