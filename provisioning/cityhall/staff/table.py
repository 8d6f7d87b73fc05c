"""The staff's pages, in the order of the navigation.

Adding one: pages/NAME.py, templates/NAME.html, its words in locale/ja.toml and locale/en.toml, a row here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from flask import Blueprint

from provisioning.cityhall.staff.context import StaffContext
from provisioning.cityhall.staff.pages import actions, box, boxes, codes, enrolments, log_in, password


def no_count(_context: StaffContext) -> int:
    """Nothing waits there."""
    return 0


class StaffPage(NamedTuple):
    """One page. name: of its file and its endpoint; add: puts its routes on the blueprint; nav: the word of its link in
    the navigation, "" for none; count: how many things wait there for staff; under: pages that belong below it.
    """

    name: str
    add: Callable[[Blueprint, StaffContext], None]
    nav: str = ""
    count: Callable[[StaffContext], int] = no_count
    under: tuple[str, ...] = ()


PAGES: tuple[StaffPage, ...] = (
    StaffPage("boxes", boxes.add, "nav_boxes", under=("box",)),
    StaffPage("box", box.add),
    StaffPage("enrolments", enrolments.add, "nav_enrolments", enrolments.waiting),
    StaffPage("codes", codes.add, "nav_codes"),
    StaffPage("actions", actions.add, "nav_actions"),
    StaffPage("password", password.add),
    StaffPage("log_in", log_in.add),
)
