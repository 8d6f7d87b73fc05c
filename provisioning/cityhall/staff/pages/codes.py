"""One-time enrolment codes: made here, shown once."""

from __future__ import annotations

from flask import Blueprint, Response, request

from provisioning.cityhall.boxes.codes import BOX_NAME
from provisioning.cityhall.staff.context import StaffContext
from provisioning.cityhall.staff.rendering import render_page
from provisioning.cityhall.staff.session import logged_in


def add(site: Blueprint, context: StaffContext) -> None:
    """/codes."""
    days = context.settings.code_days

    @site.route("/codes", methods=["GET", "POST"])
    def codes() -> Response:
        made, wrong, name = "", "", ""
        if request.method == "POST":
            name = request.form.get("box", "").strip()
            wrong = "" if BOX_NAME.fullmatch(name) else "code_name_wrong"
            made = "" if wrong else context.records.new_code(name, logged_in().name, context.now, days)
        unused = context.records.open_codes(context.now)
        status = 400 if wrong else 200
        return render_page("codes.html", status, made=made, wrong=wrong, name=name, codes=unused, days=days)
