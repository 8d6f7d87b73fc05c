"""What may be chosen for a residence record: whose, and which items beside the obligatory ones. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from kiosk.issuer.form import Choice, FormField, ManyOf, Shortcut
from kiosk.issuer.kinds.kind import HouseholdPerson, KindWords

PERSONS, ITEMS = "persons", "items"
RELATIONSHIP, REGISTERED_DOMICILE = "relationship", "registered_domicile"


def form(words: KindWords, household: Sequence[HouseholdPerson]) -> list[FormField]:
    """The form for this household; the applicant alone, with the relationship, unless chosen otherwise."""
    return [_persons(words, household), _items(words)]


def _persons(words: KindWords, household: Sequence[HouseholdPerson]) -> ManyOf:
    """Names are the same in every language. Who lives alone has nobody to choose."""
    mine = sorted(one.person for one in household if one.is_self)
    shortcuts = [Shortcut(name="self", label=words("persons.self"), values=mine)]
    if len(household) > 1:
        everyone = sorted(one.person for one in household)
        shortcuts += [
            Shortcut(name="all", label=words("persons.all"), values=everyone),
            Shortcut(name="some", label=words("persons.some")),
        ]
    return ManyOf(
        name=PERSONS,
        label=words("persons.label"),
        short=words("persons.short"),
        too_few=words("persons.too_few"),
        choices=[
            Choice(value=one.person, label={"ja": one.name}, name=f"person-{place}")
            for place, one in enumerate(household, 1)
        ],
        default=mine,
        minimum=1,
        shortcuts=shortcuts,
    )


def _items(words: KindWords) -> ManyOf:
    return ManyOf(
        name=ITEMS,
        label=words("items.label"),
        short=words("items.short"),
        choices=[Choice(value=item, label=words(f"items.{item}")) for item in (RELATIONSHIP, REGISTERED_DOMICILE)],
        default=[RELATIONSHIP],
    )
