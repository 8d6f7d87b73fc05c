"""What pages that show an offer need beside the kiosk's own words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from device.catalogue import LANGUAGES, plural_category
from kiosk.issuer.form import Count, FormField, ManyOf, OneOf
from kiosk.services.certificates.form_answers import TOO_FEW, Said, said
from kiosk.services.certificates.state import certificates
from kiosk.shell.visit import Visit

WIDGETS: dict[type[FormField], str] = {OneOf: "one_of", ManyOf: "many_of", Count: "count"}
"""Type of a field -> the macro of ``_form.html`` that draws it."""
SHORTCUT_ICONS = {"self": "person", "all": "people", "some": "choose"}
"""Pictures beside shortcuts of these names, whatever the kind; others have none."""


def form_words(visit: Visit) -> dict[str, object]:
    """For ``Pages.show``."""
    language = visit.language
    return {
        "said": partial(said, language=language),
        "counted": partial(_counted, language),
        "answered": partial(_answered, language),
        "widget": lambda field: WIDGETS[type(field)],
        "shortcut_icons": SHORTCUT_ICONS,
        "too_few": _too_few,
    }


def _counted(language: str, field: Count, number: int) -> Said:
    """A number as the field writes it."""
    words = said(field.unit, language)
    if words.language in LANGUAGES and plural_category(words.language, number) == "one":
        words = words._replace(text=field.unit_one.get(words.language, words.text))
    return words._replace(text=words.text.replace("{count}", str(number)))


def _answered(language: str, field: FormField, answer: Sequence[str]) -> list[Said]:
    """An answer in words, in the order of the field's choices."""
    if isinstance(field, Count):
        return [_counted(language, field, int(answer[0]))]
    return [said(choice.label, language) for choice in field.choices if choice.value in answer]


def _too_few(visit: Visit) -> Mapping[str, str]:
    """What the field that the present notice is about says itself; nothing when it leaves that to the kiosk."""
    state, notice = certificates(visit), visit.notice
    if state is None or state.offer is None or notice is None or notice.code != TOO_FEW:
        return {}
    named = notice.facts.get("field")
    fields = [field for field in state.offer.form if field.name == named and isinstance(field, ManyOf)]
    return fields[0].too_few if fields else {}
