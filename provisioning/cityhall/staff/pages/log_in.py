"""Log-in and log-out of staff."""

from __future__ import annotations

from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from provisioning.cityhall.staff.context import StaffContext
from provisioning.cityhall.staff.rendering import render_page
from provisioning.cityhall.staff.session import COOKIE


def add(site: Blueprint, context: StaffContext) -> None:
    """/login, /logout."""

    @site.route("/login", methods=["GET", "POST"])
    def log_in() -> AnyResponse:
        if request.method == "GET":
            return render_page("log_in.html")
        name, address = request.form.get("name", "")[:63], request.remote_addr or ""
        if context.staff.too_many(name, address):
            return render_page("log_in.html", 429, wrong="login_too_many")
        cookie = context.staff.log_in(name, request.form.get("password", "")[:256], address)
        if cookie is None:
            return render_page("log_in.html", 403, wrong="login_wrong", name=name)
        answer = redirect(url_for("staff.boxes"), 303)
        answer.set_cookie(COOKIE, cookie, secure=True, httponly=True, samesite="Strict", path="/")
        return answer

    @site.post("/logout")
    def log_out() -> AnyResponse:
        context.staff.log_out(request.cookies.get(COOKIE, ""))
        answer = redirect(url_for("staff.log_in"), 303)
        answer.delete_cookie(COOKIE, secure=True, httponly=True, samesite="Strict")
        return answer
