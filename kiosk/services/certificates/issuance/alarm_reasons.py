"""Why certificates close the kiosk: reasons of its alarm."""

from __future__ import annotations

PAGE_MISMATCH = "page_mismatch"
"""The last gate found a page of somebody else."""
PAPER_UNACCOUNTED = "paper_unaccounted"
"""Paper of one resident may lie in the tray or still come out: nobody else may be served before staff looked."""
