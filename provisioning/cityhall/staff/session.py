"""Who is asking: the session's cookie, and the check of every request before a page sees it."""

from __future__ import annotations

from typing import cast

from flask import abort, g, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from provisioning.cityhall.accounts import LoggedIn, right_form
from provisioning.cityhall.staff.context import StaffContext

COOKIE = "__Host-hiroba-staff"


def check_session(context: StaffContext) -> AnyResponse | None:
    """Nobody passes without a session; no form passes without its token or from another site."""
    by_itself = request.method == "GET" and "auto" in request.args  # the page, not a person: the session grows idle
    g.who = context.staff.who(request.cookies.get(COOKIE, ""), used=not by_itself)
    if request.method == "POST" and request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        abort(403)
    if request.endpoint == "staff.log_in":
        return None
    if g.who is None:
        return redirect(url_for("staff.log_in"), 303)
    if request.method == "POST" and not right_form(g.who, request.form.get("token", "")):
        abort(403)
    return None


def logged_in() -> LoggedIn:
    """The staff member who asks; every page but the log-in has one."""
    return cast("LoggedIn", g.who)
