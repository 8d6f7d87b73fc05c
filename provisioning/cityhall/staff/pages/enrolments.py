"""Boxes that ask to belong, and what was decided."""

from __future__ import annotations

from flask import Blueprint, Response, abort, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from provisioning.cityhall.staff.context import StaffContext
from provisioning.cityhall.staff.rendering import render_page
from provisioning.cityhall.staff.session import logged_in


def add(site: Blueprint, context: StaffContext) -> None:
    """/enrolments, /enrolments/ID."""

    @site.get("/enrolments")
    def enrolments() -> Response:
        return render_page("enrolments.html", pending=context.records.pending(), decided=context.records.decided())

    @site.post("/enrolments/<name>")
    def decide(name: str) -> AnyResponse:
        decisions = {"approve": context.enrolments.approve, "decline": context.enrolments.decline}
        decision = decisions.get(request.form.get("decision", ""))
        if decision is None:
            abort(400)
        decision(name, logged_in().name)
        return redirect(url_for("staff.enrolments"), 303)


def waiting(context: StaffContext) -> int:
    """Enrolments that wait for staff."""
    return len(context.records.pending())
