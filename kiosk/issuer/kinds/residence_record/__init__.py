"""Residence record (住民票の写し)."""

from __future__ import annotations

from pathlib import Path

from kiosk.issuer.kinds.kind import Kind
from kiosk.issuer.kinds.residence_record.form import PERSONS, form
from kiosk.issuer.kinds.residence_record.rules import RULES
from kiosk.issuer.kinds.residence_record.sheet import sheet

KIND = Kind(
    name="residence_record",
    folder=Path(__file__).parent,
    rules=RULES,
    form=form,
    sheet=sheet,
    persons_field=PERSONS,
)
