"""The [retention] section of the site file."""

from __future__ import annotations

from typing import Annotated

import msgspec

from device.settings import Section

Days = Annotated[int, msgspec.Meta(ge=31, le=36525)]
FIVE_YEARS = 1826
"""Claims for money of and against a municipality end after five years (docs/sources.md#retention)."""


class RetentionSettings(Section, frozen=True, kw_only=True):
    """Days after which records are deleted; the city's own rules for its documents decide. journal_days: requests of
    the kiosk with their payments. ledger_days: what the issuer issued, to whom. audit_days: lines of the audits.
    """

    journal_days: Days = FIVE_YEARS
    ledger_days: Days = FIVE_YEARS
    audit_days: Days = FIVE_YEARS
