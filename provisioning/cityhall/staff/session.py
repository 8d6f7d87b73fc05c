"""Who is asking: the session's cookie, and the check of every request before a page sees it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from flask import abort, g, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from provisioning.cityhall.accounts.log_ins import UnderWay
from provisioning.cityhall.accounts.roles import Role
from provisioning.cityhall.accounts.sessions import LoggedIn, right_form
from provisioning.cityhall.staff.access import Access, Open, row_of
from provisioning.cityhall.staff.context import StaffContext

COOKIE = "__Host-hiroba-staff"
LOG_IN_COOKIE = "__Host-hiroba-log-in"


def check_session(context: StaffContext, table: Mapping[str, Access]) -> AnyResponse | None:
    """Nobody passes without the session and the role that the table asks for; no form passes without its token or from
    another site. What has no row is closed to everybody.
    """
    by_itself = request.method == "GET" and "auto" in request.args  # the page, not a person: the session grows idle
    g.who = context.staff.who(request.cookies.get(COOKIE, ""), address(), used=not by_itself)
    g.under_way = None
    if request.method == "POST" and request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        abort(403)
    needed = table.get(row_of(request.method, request.endpoint or ""))
    if needed is None:
        abort(403)
    if needed is Open.ANYONE:
        return None
    return _under_way(context) if needed is Open.UNDER_WAY else _with_role(Role(needed))


def _under_way(context: StaffContext) -> AnyResponse | None:
    g.under_way = context.log_ins.under_way(request.cookies.get(LOG_IN_COOKIE, ""), address())
    if g.under_way is None:
        return redirect(url_for("staff.log_in", over=1), 303)
    _check_form(g.under_way.form_token)
    return None


def _with_role(needed: Role) -> AnyResponse | None:
    if g.who is None:
        return redirect(url_for("staff.log_in"), 303)
    _check_form(g.who.form_token)
    if not g.who.role.covers(needed):
        abort(403, "role")
    return None


def _check_form(form_token: str) -> None:
    if request.method == "POST" and not right_form(form_token, request.form.get("token", "")):
        abort(403)


def address() -> str:
    """Where the request comes from, as nginx says it."""
    return request.remote_addr or ""


def logged_in() -> LoggedIn:
    """The staff member who asks; every page but the log-in has one."""
    return cast("LoggedIn", g.who)


def under_way() -> UnderWay:
    """The log-in between its steps; its pages have one."""
    return cast("UnderWay", g.under_way)


def log_in_token() -> str:
    """The cookie of that log-in."""
    return request.cookies.get(LOG_IN_COOKIE, "")
