"""All pages of a table as one blueprint: plain forms, no script; every POST carries its session's token."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, g

from provisioning.cityhall.boxes.authority import fingerprint
from provisioning.cityhall.boxes.expiry import warnings
from provisioning.cityhall.boxes.findings import next_step, title
from provisioning.cityhall.staff.box_status import ago, moment
from provisioning.cityhall.staff.context import StaffContext
from provisioning.cityhall.staff.rendering import language
from provisioning.cityhall.staff.session import check_session
from provisioning.cityhall.staff.table import PAGES, StaffPage
from provisioning.cityhall.staff.words import LANGUAGES, Words, words


def build_pages(context: StaffContext, pages: Sequence[StaffPage] = PAGES) -> Blueprint:
    """The blueprint of ``pages``."""
    site = Blueprint("staff", __name__)
    site.before_request(lambda: check_session(context))
    site.context_processor(lambda: _for_templates(context, pages))
    for page in pages:
        page.add(site, context)
    return site


def _for_templates(context: StaffContext, pages: Sequence[StaffPage]) -> dict[str, object]:
    """What every template can say."""
    w = words(language())
    return {
        "w": w,
        "who": g.get("who"),
        "city": context.settings.city_name,
        "other": next(name for name in LANGUAGES if name != w.language),
        "navigation": [page for page in pages if page.nav],
        "count_of": lambda page: page.count(context),
        "moment": moment,
        "fingerprint": fingerprint,
        "place": lambda box: context.settings.place(box, w.language),
        "finding": lambda code: title(code, w.language),
        "next_step": lambda code: next_step(code, w.language),
        "warnings": lambda: warnings(context.ends, context.now),
        "ago": lambda at: _ago(w, context.now - at),
    }


def _ago(w: Words, seconds: int) -> str:
    unit, count = ago(seconds)
    return w(f"ago_{unit}", count=count)
