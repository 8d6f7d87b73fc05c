"""Residence record (住民票の写し)."""

from __future__ import annotations

from kiosk.issuer.kinds.kind import Kind
from kiosk.issuer.kinds.residence_record.form import PERSONS, form
from kiosk.issuer.kinds.residence_record.rules import RULES
from kiosk.issuer.kinds.residence_record.sheet import sheet

KIND = Kind(package=__name__, rules=RULES, form=form, sheet=sheet, persons_field=PERSONS)
