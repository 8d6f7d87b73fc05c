"""A whole paper as the press draws it: the sheet's words in the plan's places, every page of every copy with its mark.

Pure. May import: kiosk.issuer.{sheet,layout,protocol}.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from kiosk.issuer.layout import PagePlan, Row
from kiosk.issuer.protocol import page_mark
from kiosk.issuer.sheet import Sheet


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """A PagePlan with what makes it this page of this paper. mark: protocol.page_mark. place: "n / N" of its copy."""

    first: bool
    last: bool
    heading: list[Row]
    members: list[list[Row]]
    mark: str
    place: str


class Paper(msgspec.Struct, frozen=True, kw_only=True):
    """What templates/residence_record.typ draws."""

    title: str
    continued: str
    end: str
    sentence: str
    date: str
    authority: str
    number_label: str
    number: str
    pages: list[Page]


def compose(sheet: Sheet, pages: Sequence[PagePlan], copies: int, request: str, binding: str) -> Paper:
    """All copies one after another, every page bound to ``request`` and ``binding``."""
    total = len(pages) * copies
    return Paper(
        title=sheet.title,
        continued=sheet.continued,
        end=sheet.end,
        sentence=sheet.sentence,
        date=sheet.date,
        authority=sheet.authority,
        number_label=sheet.number_label,
        number=sheet.number,
        pages=[
            Page(
                first=page.first,
                last=page.last,
                heading=page.heading,
                members=page.members,
                mark=page_mark(request, binding, copy * len(pages) + place, total),
                place=f"{place} / {len(pages)}",
            )
            for copy in range(copies)
            for place, page in enumerate(pages, 1)
        ],
    )
