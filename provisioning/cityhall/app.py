"""City hall's WSGI application: staff's pages, enrolment, boxes, chosen by nginx's listener of the request."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from importlib import resources
from typing import Any

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from device.logs import Log, places
from device.web_headers import HEADERS, NO_STORE, PageKind
from provisioning.cityhall.boxes.box_api import create_box_app, create_enrol_app
from provisioning.cityhall.boxes.intake import Intake
from provisioning.cityhall.staff.blueprint import build_pages
from provisioning.cityhall.staff.context import StaffContext
from provisioning.cityhall.staff.rendering import language, render_page
from provisioning.cityhall.staff.table import PAGES, StaffPage
from provisioning.cityhall.staff.words import LANGUAGES, words
from provisioning.nginx_headers import BOX_LISTENER, ENROL_LISTENER, listener_of

_MAX_BODY = 16 * 1024
WITH_SCRIPT = frozenset({"staff.second_step", "staff.enrol_factor"})
"""Pages that speak to a security key; no other runs a script."""

WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def create_app(pages: StaffContext, intake: Intake, log: Log) -> WsgiApp:
    """All listeners. A request by no named listener is staff's."""
    staff: WsgiApp = create_staff_app(pages, log)
    behind: dict[str, WsgiApp] = {
        ENROL_LISTENER: create_enrol_app(pages.enrolments, pages.staff, log),
        BOX_LISTENER: create_box_app(pages.enrolments, intake, log),
    }

    def dispatch(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        return behind.get(listener_of(environ), staff)(environ, start_response)

    return dispatch


def create_staff_app(pages: StaffContext, log: Log, table: Sequence[StaffPage] = PAGES) -> Flask:
    """The pages alone."""
    app = Flask(__name__)
    app.config.update(MAX_CONTENT_LENGTH=_MAX_BODY, MAX_FORM_MEMORY_SIZE=_MAX_BODY, MAX_FORM_PARTS=20)
    app.config.update(SEND_FILE_MAX_AGE_DEFAULT=86400)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals["static_version"] = _static_version()
    app.register_blueprint(build_pages(pages, table))
    app.after_request(_guard)
    app.register_error_handler(HTTPException, lambda error: _refused(error, pages))
    app.register_error_handler(Exception, lambda error: _surprise(error, pages, log))
    return app


def _guard(response: Response) -> Response:
    kind = PageKind.CITY_HALL_KEY if request.endpoint in WITH_SCRIPT else PageKind.CITY_HALL
    response.headers.extend(HEADERS[kind])
    if request.endpoint != "static":
        response.headers.setdefault(*NO_STORE)
    return response


def _refused(error: HTTPException, pages: StaffContext) -> Response:
    status = error.code or 400
    if error.description == "role":
        return _told("error_role", status, pages)
    if status < 400:
        return Response(status=status, headers=error.get_headers())
    return _told("error_not_found" if status == 404 else "error_form", status, pages)


def _surprise(error: Exception, pages: StaffContext, log: Log) -> Response:
    log.error("cityhall_failed", kind=type(error).__name__, places=places(error))
    return _told("error_busy", 500, pages)


def _told(word: str, status: int, pages: StaffContext) -> Response:
    """An error page; it asks the database nothing, which may be what failed."""
    w = words(language())
    other = next(name for name in LANGUAGES if name != w.language)
    return render_page("error.html", status, w=w, other=other, word=word, city=pages.settings.city_name, who=None)


def _static_version() -> str:
    digest = hashlib.sha256()
    for file in sorted((resources.files("provisioning.cityhall") / "static").iterdir(), key=lambda f: f.name):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:8]
