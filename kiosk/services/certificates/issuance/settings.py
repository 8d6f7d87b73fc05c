"""The [issuance] section of the site file."""

from __future__ import annotations

from device.settings import Section


class IssuanceSettings(Section, frozen=True, kw_only=True):
    """How printing is watched. poll_seconds: between two looks at the printer. stall_seconds: no page for so long
    (paper out and nobody comes, printer silent) and the job is cancelled and left to staff.
    """

    poll_seconds: float = 0.2
    stall_seconds: float = 120.0
