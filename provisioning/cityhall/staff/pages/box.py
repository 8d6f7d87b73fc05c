"""One box: what it told, what staff did to it, and its revocation."""

from __future__ import annotations

from flask import Blueprint, Response, abort, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from provisioning.cityhall.staff.box_status import box_status
from provisioning.cityhall.staff.context import StaffContext
from provisioning.cityhall.staff.rendering import render_page
from provisioning.cityhall.staff.session import logged_in
from provisioning.cityhall.tables import Box


def add(site: Blueprint, context: StaffContext) -> None:
    """/boxes/NAME, /boxes/NAME/revoke, /boxes/NAME/audit."""

    @site.get("/boxes/<name>")
    def box(name: str) -> Response:
        return _page(context, context.records.box(name) or abort(404))

    @site.post("/boxes/<name>/revoke")
    def revoke(name: str) -> AnyResponse:
        """Typed by name: a slip of the hand must not switch a plaza off."""
        found = context.records.box(name) or abort(404)
        if request.form.get("typed", "").strip() != found.name:
            return _page(context, found, 400, wrong="revoke_not_typed")
        context.enrolments.revoke(name, logged_in().name)
        return redirect(url_for("staff.box", name=name), 303)

    @site.post("/boxes/<name>/audit")
    def accept_audit(name: str) -> AnyResponse:
        """Close the alarms of its audits, as after a restore."""
        found = context.records.box(name) or abort(404)
        if not context.audits.accept(name, logged_in().name, request.form.get("why", "")):
            return _page(context, found, 400, wrong_audit="audit_no_reason")
        return redirect(url_for("staff.box", name=name), 303)


def _page(context: StaffContext, found: Box, status: int = 200, wrong: str = "", wrong_audit: str = "") -> Response:
    alarms = context.audits.open(found.name)
    return render_page(
        "box.html",
        status,
        box=found,
        seen=box_status(found, context.now, context.silent_seconds, [alarm.reason for alarm in alarms]),
        alarms=alarms,
        wrong_audit=wrong_audit,
        messages=context.records.messages(found.name),
        actions=context.records.staff_actions(found.name),
        wrong=wrong,
    )
