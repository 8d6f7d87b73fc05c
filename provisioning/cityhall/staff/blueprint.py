"""All pages of a table as one blueprint: plain forms, no script; every POST carries its session's token."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flask import Blueprint, g

from provisioning.cityhall.accounts.roles import Role
from provisioning.cityhall.boxes.authority import fingerprint
from provisioning.cityhall.boxes.expiry import warnings
from provisioning.cityhall.boxes.findings import next_step, title
from provisioning.cityhall.staff.access import Access
from provisioning.cityhall.staff.box_status import ago, moment
from provisioning.cityhall.staff.context import StaffContext
from provisioning.cityhall.staff.rendering import language
from provisioning.cityhall.staff.session import check_session
from provisioning.cityhall.staff.table import PAGES, StaffPage, access_of
from provisioning.cityhall.staff.words import LANGUAGES, Words, words


def build_pages(context: StaffContext, pages: Sequence[StaffPage] = PAGES) -> Blueprint:
    """The blueprint of ``pages``."""
    site = Blueprint("staff", __name__)
    table = access_of(pages)
    site.before_request(lambda: check_session(context, table))
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
        "navigation": [page for page in pages if page.nav and _may(page.access, f"GET {page.name}")],
        "may": lambda route: _may(access_of(pages), route),
        "factor_missing": context.settings.second_factor != "required",
        "count_of": lambda page: page.count(context),
        "moment": moment,
        "fingerprint": fingerprint,
        "place": lambda box: context.settings.place(box, w.language),
        "finding": lambda code: title(code, w.language),
        "next_step": lambda code: next_step(code, w.language),
        "warnings": lambda: warnings(context.ends, context.now),
        "ago": lambda at: _ago(w, context.now - at),
    }


def _may(table: Mapping[str, Access], route: str) -> bool:
    """Whether who is logged in may call ``route``: what they may not is not offered."""
    who, needed = g.get("who"), table[route]
    return who is not None and isinstance(needed, Role) and who.role.covers(needed)


def _ago(w: Words, seconds: int) -> str:
    unit, count = ago(seconds)
    return w(f"ago_{unit}", count=count)
