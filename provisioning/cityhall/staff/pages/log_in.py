"""Log-in, first step, and log-out of staff."""

from __future__ import annotations

from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from provisioning.cityhall.accounts.log_ins import STEP_SECONDS, Begun, Complete, Refusal, Step
from provisioning.cityhall.staff.context import StaffContext
from provisioning.cityhall.staff.rendering import render_page
from provisioning.cityhall.staff.session import COOKIE, LOG_IN_COOKIE, address

_PAGE_OF = {Step.FACTOR: "staff.second_step", Step.ENROL: "staff.enrol_factor"}


def add(site: Blueprint, context: StaffContext) -> None:
    """/login, /logout."""

    @site.route("/login", methods=["GET", "POST"])
    def log_in() -> AnyResponse:
        if request.method == "GET":
            return render_page("log_in.html", wrong=Refusal.OVER if "over" in request.args else "")
        name = request.form.get("name", "")[:63]
        answer = context.log_ins.begin(name, request.form.get("password", "")[:256], address())
        if isinstance(answer, Refusal):
            return render_page("log_in.html", 429 if answer is Refusal.TOO_MANY else 403, wrong=answer, name=name)
        return logged_in_answer(answer) if isinstance(answer, Complete) else next_step_answer(answer)

    @site.post("/logout")
    def log_out() -> AnyResponse:
        context.staff.log_out(request.cookies.get(COOKIE, ""), address())
        answer = redirect(url_for("staff.log_in"), 303)
        answer.delete_cookie(COOKIE, secure=True, httponly=True, samesite="Strict")
        return answer


def next_step_answer(begun: Begun) -> AnyResponse:
    """On to the second step, with its cookie."""
    answer = redirect(url_for(_PAGE_OF[begun.step]), 303)
    answer.set_cookie(
        LOG_IN_COOKIE, begun.token, max_age=STEP_SECONDS, secure=True, httponly=True, samesite="Strict", path="/"
    )
    return answer


def logged_in_answer(complete: Complete, page: AnyResponse | None = None) -> AnyResponse:
    """The first page of who is logged in, or ``page``, with the session's cookie."""
    answer = page or redirect(url_for("staff.boxes"), 303)
    answer.set_cookie(COOKIE, complete.token, secure=True, httponly=True, samesite="Strict", path="/")
    answer.delete_cookie(LOG_IN_COOKIE, secure=True, httponly=True, samesite="Strict")
    return answer
