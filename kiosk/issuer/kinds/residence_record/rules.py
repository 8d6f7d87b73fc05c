"""Who may have a residence record, beside the rules that hold for every kind (kiosk.issuer.eligibility). Pure."""

from __future__ import annotations

from kiosk.issuer.eligibility import Rule
from kiosk.issuer.protocol import RefusalReason

RULES: tuple[Rule, ...] = (
    # A member who is moving out blocks every copy with that member on it, so the whole household's too.
    (lambda case: any(person.moving_out is not None for person in case.persons), RefusalReason.COUNTER),
)
