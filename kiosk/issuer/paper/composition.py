"""A whole paper as typst draws it: the sheet's words in the plan's places, every page of every copy with its mark
and the city's seal. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from kiosk.issuer.paper.layout import PagePlan, Row
from kiosk.issuer.paper.sheet import Sheet
from kiosk.issuer.protocol import page_mark


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """A PagePlan with what makes it this page of this paper. mark: protocol.page_mark. place: "n / N" of its copy.
    seal: a PNG, byte by byte, or nothing.
    """

    first: bool
    last: bool
    heading: list[Row]
    blocks: list[list[Row]]
    mark: str
    place: str
    seal: list[int]


class Paper(msgspec.Struct, frozen=True, kw_only=True):
    """What a kind's layout.typ draws."""

    title: str
    continued: str
    end: str
    sentence: str
    date: str
    authority: str
    number_label: str
    number: str
    pages: list[Page]


def compose(
    sheet: Sheet, pages: Sequence[PagePlan], copies: int, request: str, binding: str, *, seals: Sequence[bytes] = ()
) -> Paper:
    """All copies one after another, every page bound to ``request`` and ``binding``. seals: a picture (PNG) for every
    page of a copy, or none at all.
    """
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
                blocks=page.blocks,
                mark=page_mark(request, binding, copy * len(pages) + place, total),
                place=_place(place, len(pages)),
                seal=list(seals[place - 1]) if seals else [],
            )
            for copy in range(copies)
            for place, page in enumerate(pages, 1)
        ],
    )


def _place(place: int, pages: int) -> str:
    return f"{place} / {pages}"
