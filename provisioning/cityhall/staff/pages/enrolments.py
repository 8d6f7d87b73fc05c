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
        return _page(context)

    @site.post("/enrolments/<name>")
    def decide(name: str) -> AnyResponse:
        decisions = {"approve": context.enrolments.approve, "decline": context.enrolments.decline}
        decision = decisions.get(request.form.get("decision", ""))
        if decision is None:
            abort(400)
        if decision == context.enrolments.approve and context.enrolments.needs_another(name, logged_in().name):
            return _page(context, 403, "enrolment_same_person")
        decision(name, logged_in().name)
        return redirect(url_for("staff.enrolments"), 303)


def waiting(context: StaffContext) -> int:
    """Enrolments that wait for staff."""
    return len(context.records.pending())


def _page(context: StaffContext, status: int = 200, wrong: str = "") -> Response:
    pending, decided = context.records.pending(), context.records.decided()
    return render_page("enrolments.html", status, pending=pending, decided=decided, wrong=wrong)
