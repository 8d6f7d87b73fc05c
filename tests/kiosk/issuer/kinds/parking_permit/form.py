"""What may be chosen for a parking permit."""

from __future__ import annotations

from collections.abc import Sequence

from kiosk.issuer.form import Choice, Count, FormField, ManyOf, OneOf
from kiosk.issuer.kinds.kind import HouseholdPerson, KindWords

DAYS = ("saturday", "sunday")
ZONES = ("north", "south")


def form(words: KindWords, _household: Sequence[HouseholdPerson]) -> list[FormField]:
    return [
        OneOf(
            name="zone",
            label=words("zone.label"),
            help=words("zone.help"),
            choices=[Choice(value=zone, label=words(f"zone.{zone}")) for zone in ZONES],
            default="north",
        ),
        ManyOf(
            name="days",
            label=words("days.label"),
            choices=[Choice(value=day, label=words(f"days.{day}")) for day in DAYS],
            maximum=1,
        ),
        Count(
            name="months",
            label=words("months.label"),
            unit=words("months.unit"),
            unit_one=words.one("months.unit"),
            minimum=1,
            maximum=6,
            default=3,
        ),
    ]
