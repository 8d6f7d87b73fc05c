"""The pages as Flask serves them."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response, request

from captive_portal.portal.asked import Answer, Asked
from captive_portal.portal.pages import Pages


def asked_of_flask(*, with_form: bool = False) -> Asked:
    """The present request. Raises HTTPException when ``with_form`` and the form cannot be read."""
    return Asked(
        method=request.method,
        path=request.path,
        ip=request.remote_addr or "",
        secure=request.scheme == "https",
        accept_language=request.headers.get("Accept-Language", ""),
        agent=request.headers.get("User-Agent", ""),
        args=request.args,
        form=request.form if with_form else {},
        cookies=request.cookies,
    )


def response(answer: Answer) -> Response:
    """For Flask."""
    return Response(answer.body, answer.status, headers=list(answer.headers))


def build_routes(pages: Pages) -> Blueprint:
    """Every page and form."""
    blueprint = Blueprint("pages", __name__)
    for path, name, view in (
        ("/", "home", pages.home),
        ("/terms", "terms", pages.terms),
        ("/code", "code", pages.code),
        ("/resume", "resume_offer", pages.resume_offer),
        ("/disaster", "disaster", pages.disaster),
        ("/login", "login_seen", pages.back_home),
        ("/extend", "extend_seen", pages.back_home),
        ("/logout", "logout_seen", pages.back_home),
    ):
        blueprint.add_url_rule(path, name, _page(view), methods=["GET"])
    for path, name, view in (
        ("/login", "login", pages.login),
        ("/extend", "extend", pages.extend),
        ("/resume", "resume", pages.resume),
        ("/logout", "logout", pages.logout),
    ):
        blueprint.add_url_rule(path, name, _form(view), methods=["POST"])
    return blueprint


def _page(view: Callable[[Asked], Answer]) -> Callable[[], Response]:
    return lambda: response(view(asked_of_flask()))


def _form(view: Callable[[Asked], Answer]) -> Callable[[], Response]:
    return lambda: response(view(asked_of_flask(with_form=True)))
