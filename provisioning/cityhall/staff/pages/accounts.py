"""Accounts of staff: roles, second factors, sessions; what waits for a second administrator."""

from __future__ import annotations

from flask import Blueprint, Response, request

from provisioning.cityhall.accounts.account_requests import Outcome
from provisioning.cityhall.accounts.roles import Role
from provisioning.cityhall.staff.context import StaffContext
from provisioning.cityhall.staff.rendering import render_page
from provisioning.cityhall.staff.session import logged_in

_STATUS = {
    Outcome.DONE: 200,
    Outcome.WAITS: 200,
    Outcome.UNKNOWN: 404,
    Outcome.NO_REASON: 400,
    Outcome.LAST: 409,
    Outcome.SAME_PERSON: 403,
}


def add(site: Blueprint, context: StaffContext) -> None:
    """/accounts, /accounts/NAME/role|reset|close|log-out, /accounts/requests/NUMBER."""

    @site.get("/accounts")
    def accounts() -> Response:
        return _page(context)

    @site.post("/accounts/<name>/role")
    def set_role(name: str) -> Response:
        wanted = request.form.get("role", "")
        if wanted not in set(Role):
            return _page(context, Outcome.UNKNOWN)
        return _page(context, context.requests.role(name, Role(wanted), _reason(), logged_in().name))

    @site.post("/accounts/<name>/reset")
    def reset_factors(name: str) -> Response:
        return _page(context, context.requests.reset(name, _reason(), logged_in().name))

    @site.post("/accounts/<name>/close")
    def close_account(name: str) -> Response:
        return _page(context, context.requests.close(name, logged_in().name))

    @site.post("/accounts/<name>/log-out")
    def end_sessions(name: str) -> Response:
        context.staff.end_sessions(name, logged_in().name)
        return _page(context, Outcome.DONE)

    @site.post("/accounts/requests/<int:number>")
    def decide_request(number: int) -> Response:
        yes = request.form.get("decision", "") == "approve"
        return _page(context, context.requests.decide(number, logged_in().name, approve=yes))


def waiting(context: StaffContext) -> int:
    """Requests that wait for a second administrator."""
    return len(context.requests.pending())


def _reason() -> str:
    return request.form.get("reason", "")


def _page(context: StaffContext, outcome: Outcome | None = None) -> Response:
    """Whoever just lost their own session sees the page once more, and logs in anew at the next step."""
    return render_page(
        "accounts.html",
        _STATUS[outcome] if outcome else 200,
        accounts=context.staff.accounts(),
        roles=list(Role),
        requests=context.requests.pending(),
        outcome=outcome,
    )
