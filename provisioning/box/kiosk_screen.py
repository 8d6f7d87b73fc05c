"""Which screen this box's kiosk shows now, asked over loopback."""

from __future__ import annotations

import json

from device.http_exchange import NO_HTTP, Where, exchange

IDLE_SCREENS = {"home", "closed"}
"""Nobody is being served: only then the receipt printer is asked, which talks to one at a time, and updates go in."""


def kiosk_screen(address: tuple[str, int], seconds: float = 3.0) -> str | None:
    """The kiosk's screen now; None when the kiosk does not answer. address: host, port."""
    try:
        answer = json.loads(exchange(Where(*address), "GET", "/state", seconds=seconds, max_bytes=4096).body)
        return str(answer["screen"])
    except (*NO_HTTP, ValueError, KeyError, TypeError):
        return None
