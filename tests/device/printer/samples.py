"""A receipt as the kiosk prints it, for tests."""

from __future__ import annotations

from device.printer.status import Receipt, ReceiptLine, ReceiptQr, ReceiptRule

QR = "HIROBA:R8-000123-4567:300"
SAMPLE: Receipt = (
    ReceiptLine("ひろば市", size=2, align="center", bold=True),
    ReceiptLine("証明書交付 領収書", align="center"),
    ReceiptRule(),
    ReceiptLine("日時", right="2026年11月23日 14:05"),
    ReceiptLine("住民票の写し（世帯全員）", right="1通"),
    ReceiptLine("手数料", right="300円", bold=True),
    ReceiptLine("発行番号", right="R8-000123-4567"),
    ReceiptQr(QR),
)
SHORT: Receipt = (ReceiptLine("領収書"), ReceiptRule())
