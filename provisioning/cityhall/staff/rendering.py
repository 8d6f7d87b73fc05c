"""A template as an answer, in the language that this browser chose."""

from __future__ import annotations

from flask import Response, make_response, render_template, request

from provisioning.cityhall.staff.words import LANGUAGES

LANGUAGE_COOKIE = "hiroba-lang"
_YEAR = 31_536_000


def language() -> str:
    """Chosen by ?lang=, kept in a cookie, else Japanese."""
    chosen = request.args.get("lang") or request.cookies.get(LANGUAGE_COOKIE, "")
    return chosen if chosen in LANGUAGES else LANGUAGES[0]


def render_page(template: str, status: int = 200, **places: object) -> Response:
    """A page."""
    response = make_response(render_template(template, **places), status)
    if request.args.get("lang") in LANGUAGES:
        response.set_cookie(LANGUAGE_COOKIE, language(), max_age=_YEAR, secure=True, httponly=True, samesite="Lax")
    return response
