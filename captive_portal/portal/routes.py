"""The table of routes to ``pages`` and ``api``. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from captive_portal.portal.api import Api
from captive_portal.portal.capport import API_PATH
from captive_portal.portal.page_request import PageRequest, PageResponse
from captive_portal.portal.pages import Pages

View = Callable[[PageRequest], PageResponse]
Routes = Mapping[str, Mapping[str, View]]
"""Path -> method (GET or POST) -> view."""


def build_routes(pages: Pages, api: Api) -> Routes:
    """Every page and form. A form's path requested with GET (a bookmark, a reload) leads home."""
    shown = {"/": pages.home, "/terms": pages.terms, "/code": pages.code, "/disaster": pages.disaster}
    forms = {"/login": pages.login, "/extend": pages.extend, "/logout": pages.logout}
    return {
        **{path: {"GET": view} for path, view in shown.items()},
        **{path: {"GET": pages.redirect_home, "POST": view} for path, view in forms.items()},
        "/resume": {"GET": pages.resume_offer, "POST": pages.resume},
        API_PATH: {"GET": api.captive_state},
    }
