"""Who may have a parking permit."""

from __future__ import annotations

from kiosk.issuer.eligibility import Rule, age
from kiosk.issuer.protocol import RefusalReason

RULES: tuple[Rule, ...] = ((lambda case: age(case.applicant.born, case.day) < 18, RefusalReason.UNDER_AGE),)
