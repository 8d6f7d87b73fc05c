"""The pages and log lines of errors."""

from __future__ import annotations

from captive_portal.gate.errors import GateFault, GateUnreachable
from captive_portal.portal.page_request import PageRequest, PageResponse
from captive_portal.portal.pages import Pages
from device.logs import Log, places


class ErrorPages:
    """Every error is a page with a link home."""

    def __init__(self, pages: Pages, log: Log) -> None:
        self._pages = pages
        self._log = log

    def for_exception(self, request: PageRequest, error: Exception) -> PageResponse:
        """The page for an uncaught exception."""
        if isinstance(error, GateUnreachable | GateFault):
            self._log.warning("gate_not_answering", code=error.code)
            return self._pages.gate_unavailable(request)
        self._log.error("portal_failed", kind=type(error).__name__, places=places(error))
        return self._pages.error_page(request, "error_busy", 500)

    def for_status(self, request: PageRequest, status: int) -> PageResponse:
        """The page for a 4xx status."""
        return self._pages.error_page(request, "error_not_found" if status == 404 else "error_form", status)
