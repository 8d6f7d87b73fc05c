"""One's own second factors: what there is, one more, one less; and the end of all one's sessions."""

from __future__ import annotations

from flask import Blueprint, Response, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from provisioning.cityhall.accounts.log_ins import Refusal
from provisioning.cityhall.staff.context import StaffContext
from provisioning.cityhall.staff.pages.log_in import next_step_answer
from provisioning.cityhall.staff.rendering import render_page
from provisioning.cityhall.staff.session import address, logged_in


def add(site: Blueprint, context: StaffContext) -> None:
    """/factors, /factors/add, /factors/ID/remove, /logout/everywhere."""

    @site.get("/factors")
    def factors() -> Response:
        return _page(context)

    @site.post("/factors/add")
    def add_factor() -> AnyResponse:
        me = logged_in().name
        if context.staff.too_many(me, address()):
            return _page(context, 429, "login_too_many")
        begun = context.log_ins.begin_another(me, _password(), address())
        if begun is Refusal.OVER:
            return _page(context, 400, "factors_full")
        return _page(context, 403, "password_wrong") if isinstance(begun, Refusal) else next_step_answer(begun)

    @site.post("/factors/<factor>/remove")
    def remove_factor(factor: str) -> AnyResponse:
        me = logged_in().name
        if context.staff.too_many(me, address()):
            return _page(context, 429, "login_too_many")
        if not context.log_ins.remove(me, _password(), factor, address()):
            return _page(context, 403, "factor_not_removed")
        return redirect(url_for("staff.factors"), 303)

    @site.post("/logout/everywhere")
    def log_out_everywhere() -> AnyResponse:
        context.staff.end_sessions(logged_in().name, logged_in().name)
        return redirect(url_for("staff.log_in"), 303)


def _password() -> str:
    return request.form.get("now", "")[:256]


def _page(context: StaffContext, status: int = 200, wrong: str = "") -> Response:
    known, left = context.log_ins.factors_of(logged_in().name)
    return render_page("factors.html", status, factors=known, recovery_left=left, wrong=wrong)
