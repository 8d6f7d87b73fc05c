"""What staff did, newest first."""

from __future__ import annotations

from flask import Blueprint, Response

from provisioning.cityhall.staff.context import StaffContext
from provisioning.cityhall.staff.rendering import render_page


def add(site: Blueprint, context: StaffContext) -> None:
    """/actions."""

    @site.get("/actions")
    def actions() -> Response:
        return render_page("actions.html", actions=context.records.staff_actions())
