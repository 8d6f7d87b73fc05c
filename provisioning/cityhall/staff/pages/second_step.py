"""Log-in, second step: a code of an app, a security key, a recovery code; or the registration of the first factor."""

from __future__ import annotations

from flask import Blueprint, Response, request
from werkzeug.wrappers import Response as AnyResponse

from device.qr import modules
from provisioning.cityhall.accounts.authenticator_app import address_of
from provisioning.cityhall.accounts.log_ins import Complete, Refusal
from provisioning.cityhall.staff.context import StaffContext
from provisioning.cityhall.staff.pages.log_in import logged_in_answer
from provisioning.cityhall.staff.rendering import render_page
from provisioning.cityhall.staff.session import address, log_in_token, under_way

_STATUS = {Refusal.TOO_MANY: 429}


def add(site: Blueprint, context: StaffContext) -> None:
    """/login/second, /login/enrol."""

    @site.route("/login/second", methods=["GET", "POST"])
    def second_step() -> AnyResponse:
        if request.method == "GET":
            return _second(context)
        if answer := request.form.get("answer", ""):
            done = context.log_ins.with_key(log_in_token(), answer, address())
        else:
            done = context.log_ins.with_code(log_in_token(), request.form.get("code", "")[:32], address())
        return logged_in_answer(done) if isinstance(done, Complete) else _second(context, done)

    @site.route("/login/enrol", methods=["GET", "POST"])
    def enrol_factor() -> AnyResponse:
        if request.method == "GET":
            return _enrol(context)
        if answer := request.form.get("answer", ""):
            done = context.log_ins.enrol_key(log_in_token(), answer, address())
        else:
            done = context.log_ins.enrol_app(log_in_token(), request.form.get("code", "")[:32], address())
        if isinstance(done, Complete):
            return logged_in_answer(done, render_page("recovery.html", codes=done.recovery))
        return _enrol(context, done)


def _second(context: StaffContext, wrong: Refusal | None = None) -> Response:
    options = context.log_ins.key_options(log_in_token(), address())
    status = _STATUS.get(wrong, 403) if wrong else 200
    return render_page("second_step.html", status, log_in=under_way(), options=options, wrong=wrong)


def _enrol(context: StaffContext, wrong: Refusal | None = None) -> Response:
    secret = context.log_ins.app_secret(log_in_token(), address())
    link = address_of(secret, under_way().staff, context.settings.city_name)
    rows = modules(link)
    path = "".join(f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, module in enumerate(row) if module)
    return render_page(
        "enrol_factor.html",
        _STATUS.get(wrong, 403) if wrong else 200,
        log_in=under_way(),
        options=context.log_ins.key_options(log_in_token(), address()),
        secret=" ".join(secret[i : i + 4] for i in range(0, len(secret), 4)),
        size=len(rows),
        path=path,
        wrong=wrong,
    )
