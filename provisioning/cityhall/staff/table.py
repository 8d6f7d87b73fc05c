"""The staff's pages, in the order of the navigation, and who may do what on them.

Adding one: pages/NAME.py, templates/NAME.html, its words in locale/ja.toml and locale/en.toml, a row here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from flask import Blueprint

from provisioning.cityhall.accounts.roles import Role
from provisioning.cityhall.staff.access import Access, Open
from provisioning.cityhall.staff.context import StaffContext
from provisioning.cityhall.staff.pages import (
    accounts,
    actions,
    box,
    boxes,
    codes,
    enrolments,
    factors,
    log_in,
    password,
    second_step,
)


def no_count(_context: StaffContext) -> int:
    """Nothing waits there."""
    return 0


class StaffPage(NamedTuple):
    """One page. name: of its file and its endpoint; add: puts its routes on the blueprint; access: its routes, as
    "METHOD endpoint", and who may call them; nav: the word of its link in the navigation, "" for none; count: how many
    things wait there for staff; under: pages that belong below it.
    """

    name: str
    add: Callable[[Blueprint, StaffContext], None]
    access: Mapping[str, Access]
    nav: str = ""
    count: Callable[[StaffContext], int] = no_count
    under: tuple[str, ...] = ()


_VIEW, _OPERATE, _APPROVE, _ADMINISTER = Role
PAGES: tuple[StaffPage, ...] = (
    StaffPage("boxes", boxes.add, {"GET boxes": _VIEW}, "nav_boxes", under=("box",)),
    StaffPage("box", box.add, {"GET box": _VIEW, "POST revoke": _APPROVE, "POST accept_audit": _APPROVE}),
    StaffPage(
        "enrolments",
        enrolments.add,
        {"GET enrolments": _VIEW, "POST decide": _APPROVE},
        "nav_enrolments",
        enrolments.waiting,
    ),
    StaffPage("codes", codes.add, {"GET codes": _OPERATE, "POST codes": _OPERATE}, "nav_codes"),
    StaffPage("actions", actions.add, {"GET actions": _VIEW}, "nav_actions"),
    StaffPage(
        "accounts",
        accounts.add,
        {
            "GET accounts": _ADMINISTER,
            "POST set_role": _ADMINISTER,
            "POST reset_factors": _ADMINISTER,
            "POST close_account": _ADMINISTER,
            "POST end_sessions": _ADMINISTER,
            "POST decide_request": _ADMINISTER,
        },
        "nav_accounts",
        accounts.waiting,
    ),
    StaffPage("password", password.add, {"GET password": _VIEW, "POST password": _VIEW}),
    StaffPage(
        "factors",
        factors.add,
        {
            "GET factors": _VIEW,
            "POST add_factor": _VIEW,
            "POST remove_factor": _VIEW,
            "POST log_out_everywhere": _VIEW,
        },
    ),
    StaffPage("log_in", log_in.add, {"GET log_in": Open.ANYONE, "POST log_in": Open.ANYONE, "POST log_out": _VIEW}),
    StaffPage(
        "second_step",
        second_step.add,
        {
            "GET second_step": Open.UNDER_WAY,
            "POST second_step": Open.UNDER_WAY,
            "GET enrol_factor": Open.UNDER_WAY,
            "POST enrol_factor": Open.UNDER_WAY,
        },
    ),
)


def access_of(pages: Iterable[StaffPage]) -> Mapping[str, Access]:
    """Route -> who may call it, of all ``pages``."""
    return {route: access for page in pages for route, access in page.access.items()}
