"""Which screen this box's kiosk shows now, asked over loopback."""

from __future__ import annotations

import http.client
import json

IDLE_SCREENS = {"home", "closed"}
"""Nobody is being served: only then the receipt printer is asked, which talks to one at a time, and updates go in."""


def kiosk_screen(address: tuple[str, int]) -> str | None:
    """The kiosk's screen now; None when the kiosk does not answer. address: host, port."""
    connection = http.client.HTTPConnection(*address, timeout=3.0)
    try:
        connection.request("GET", "/state")
        answer = json.loads(connection.getresponse().read(4096))
        return str(answer["screen"])
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError):
        return None
    finally:
        connection.close()
