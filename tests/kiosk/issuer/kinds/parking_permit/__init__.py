"""Parking permit: a kind that only tests have, with one field of each type and about the applicant alone."""

from __future__ import annotations

from kiosk.issuer.kinds.kind import Kind
from tests.kiosk.issuer.kinds.parking_permit.form import form
from tests.kiosk.issuer.kinds.parking_permit.rules import RULES
from tests.kiosk.issuer.kinds.parking_permit.sheet import sheet

KIND = Kind(package=__name__, rules=RULES, form=form, sheet=sheet)
