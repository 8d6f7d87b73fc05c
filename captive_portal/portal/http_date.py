"""The Date of an answer (RFC 9110 §5.6.7), made once a second."""

from __future__ import annotations

import time
from email.utils import formatdate


class HttpDate:
    """The wall clock, since that is what the header tells."""

    def __init__(self) -> None:
        self._made = (0, "")

    def now(self) -> str:
        """As in "Mon, 23 Nov 2026 09:00:00 GMT"."""
        second, text = self._made
        present = int(time.time())
        if present != second:
            text = formatdate(present, usegmt=True)
            self._made = present, text
        return text
