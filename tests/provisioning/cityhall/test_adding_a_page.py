"""A page of the staff is added by its module, its template, its words and a row of the table: nothing else knows it."""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, Response, make_response, render_template_string
from flask.testing import FlaskClient

from device.logs import open_log
from provisioning import cityhall
from provisioning.cityhall.accounts.roles import Role
from provisioning.cityhall.app import create_staff_app
from provisioning.cityhall.staff.context import StaffContext
from provisioning.cityhall.staff.table import PAGES, StaffPage
from provisioning.cityhall.staff.words import LANGUAGES, words
from tests.provisioning.cityhall.conftest import Hall

HERE = Path(str(cityhall.__file__)).parent
PASSWORD = "correct horse battery"
TEMPLATE = """{% extends "base.html" %}
{% block page %}papers{% endblock %}
{% block main %}<h1>{{ w("paper") }}</h1>{% endblock %}
"""


def add(site: Blueprint, context: StaffContext) -> None:
    """/papers: a module of a page, as it would stand in pages/papers.py."""

    @site.get("/papers")
    def papers() -> Response:
        return make_response(render_template_string(TEMPLATE, boxes=context.records.boxes()))


def browser(hall: Hall) -> FlaskClient:
    service = hall.service
    service.staff.set_password("hanako", PASSWORD)
    row = StaffPage("papers", add, {"GET papers": Role.VIEW}, "paper", lambda _context: 3)
    return create_staff_app(service.pages, open_log("cityhall"), [*PAGES, row]).test_client()


def test_a_row_gives_a_page_its_place_in_the_navigation_and_its_guard(small_hall: Hall) -> None:
    client, https = browser(small_hall), "https://localhost"
    assert client.get("/papers", base_url=https).headers["Location"].endswith("/login")
    client.post("/login", base_url=https, data={"name": "hanako", "password": PASSWORD})
    shown = client.get("/papers", base_url=https)
    assert 'data-page="papers"' in shown.text
    assert 'href="/papers" aria-current="page"' in shown.text
    assert '<b class="count">3</b>' in shown.text
    assert "default-src 'none'" in shown.headers["Content-Security-Policy"]


def test_every_page_has_its_file_its_template_and_its_words() -> None:
    modules = {file.stem for file in (HERE / "staff/pages").glob("*.py")} - {"__init__"}
    assert {page.name for page in PAGES} == modules
    templates = {file.stem for file in (HERE / "templates").glob("*.html")}
    assert modules <= templates
    assert all(words(language)(page.nav) for page in PAGES if page.nav for language in LANGUAGES)
