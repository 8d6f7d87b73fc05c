"""One's own password, changed by whoever has it."""

from __future__ import annotations

from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from provisioning.cityhall.accounts.staff_accounts import MIN_LETTERS
from provisioning.cityhall.staff.context import StaffContext
from provisioning.cityhall.staff.rendering import render_page
from provisioning.cityhall.staff.session import address, logged_in


def add(site: Blueprint, context: StaffContext) -> None:
    """/password."""

    @site.route("/password", methods=["GET", "POST"])
    def password() -> AnyResponse:
        """Afterwards every session of that name is over, this one too."""
        if request.method == "GET":
            return render_page("password.html", least=MIN_LETTERS)
        me = logged_in().name
        new, again = (request.form.get(field, "")[:256] for field in ("new", "again"))
        if context.staff.too_many(me, address()):
            return render_page("password.html", 429, wrong="login_too_many", least=MIN_LETTERS)
        if len(new) < MIN_LETTERS or new != again:
            return render_page("password.html", 400, wrong="password_unlike", least=MIN_LETTERS)
        if not context.staff.change(me, request.form.get("now", "")[:256], new, address()):
            return render_page("password.html", 403, wrong="password_wrong", least=MIN_LETTERS)
        return redirect(url_for("staff.log_in"), 303)
