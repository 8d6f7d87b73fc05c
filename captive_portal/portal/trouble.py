"""What a phone is told when something breaks, and what the log is."""

from __future__ import annotations

from captive_portal.gate.errors import GateFault, GateUnreachable
from captive_portal.portal.asked import Answer, Asked
from captive_portal.portal.pages import Pages
from device.logs import Log, places


class Trouble:
    """Every error is a page with a way on."""

    def __init__(self, pages: Pages, log: Log) -> None:
        self._pages = pages
        self._log = log

    def tell(self, asked: Asked, error: Exception) -> Answer:
        """The page for an exception that nobody caught."""
        if isinstance(error, GateUnreachable | GateFault):
            self._log.warning("gate_not_answering", code=error.code)
            return self._pages.without_gate(asked)
        self._log.error("portal_failed", kind=type(error).__name__, places=places(error))
        return self._pages.bare_error(asked, "error_busy", 500)

    def refused(self, asked: Asked, status: int) -> Answer:
        """The page for a request that HTTP itself says no to."""
        return self._pages.bare_error(asked, "error_not_found" if status == 404 else "error_form", status)
