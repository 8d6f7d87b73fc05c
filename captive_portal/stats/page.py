"""The staff page: a chart and tables of one spot's day or week. Listens on loopback; it can only read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from flask import Flask, Response, render_template, request, url_for
from werkzeug.exceptions import HTTPException

from captive_portal.settings import WifiSettings
from captive_portal.stats import report_text
from captive_portal.stats.catalogue import LANGUAGES, StatsCatalogue, catalogue
from captive_portal.stats.chart import draw
from captive_portal.stats.codes import ALL_SPOTS, PARTS
from captive_portal.stats.report import Report, day_report, known_spots, week_report
from device.clock import Clock
from device.logs import Log, places
from device.store import Store
from device.web_headers import HEADERS, NO_STORE, PageKind, picture_policy


@dataclass(frozen=True)
class PageQuery:
    """The parameters of the page; invalid values become the defaults: all spots, today, the first language."""

    spot: str
    period: Literal["day", "week"]
    date: date
    lang: str

    def url(self, endpoint: str = "usage", **changes: object) -> str:
        """The URL of this query, with ``changes``."""
        facts = {"spot": self.spot, "period": self.period, "date": self.date.isoformat(), "lang": self.lang}
        return url_for(endpoint, **{**facts, **changes})  # type: ignore[arg-type]  # flask types the rest as its own keywords

    def step(self, steps: int) -> str:
        """The URL of the day or week ``steps`` later."""
        return self.url(date=(self.date + timedelta(days=steps * (7 if self.period == "week" else 1))).isoformat())


def create_stats_app(settings: WifiSettings, store: Store, clock: Clock, log: Log) -> Flask:
    """The staff page. store: database.open_stats_database."""
    app = Flask(__name__)
    # A page elsewhere that points its own name at 127.0.0.1 (DNS rebinding) is refused.
    app.config.update(TRUSTED_HOSTS=["127.0.0.1", "localhost", "[::1]"], MAX_CONTENT_LENGTH=1024)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    titles = {language: _titles(settings, language) for language in LANGUAGES}

    def parse_query() -> PageQuery:
        spots = {ALL_SPOTS, *(spot.name for spot in settings.spots), *known_spots(store)}
        return _parse_query(spots, clock.now().date())

    def usage() -> str:
        query = parse_query()
        return _page(_report(store, query), query, titles[query.lang], known_spots(store))

    def chart() -> Response:
        query = parse_query()
        return _image(_report(store, query), catalogue(query.lang))

    app.add_url_rule("/", "usage", usage, methods=["GET"])
    app.add_url_rule("/chart.svg", "chart", chart, methods=["GET"])
    app.add_url_rule("/favicon.ico", "favicon", lambda: Response(status=204), methods=["GET"])
    app.after_request(_add_security_headers)
    app.register_error_handler(Exception, lambda error: _refused(error, log))
    return app


def _refused(error: Exception, log: Log) -> Response:
    """Flask's own log would quote the message of an exception (N3)."""
    if isinstance(error, HTTPException):
        return Response(error.get_body(), error.code, headers=[*error.get_headers()])
    log.error("page_failed", error=type(error).__name__, places=places(error))
    return Response(
        "ただいま表示できません。 / It cannot be shown now.\n", 503, content_type="text/plain; charset=utf-8"
    )


def _titles(settings: WifiSettings, language: str) -> dict[str, str]:
    return {spot.name: catalogue(language).title(spot) for spot in settings.spots}


def _parse_query(spots: set[str], today: date) -> PageQuery:
    asked = request.args
    spot, lang = asked.get("spot", ALL_SPOTS), asked.get("lang", LANGUAGES[0])
    return PageQuery(
        spot=spot if spot in spots else ALL_SPOTS,
        period="week" if asked.get("period") == "week" else "day",
        date=_date(asked.get("date", ""), today),
        lang=lang if lang in LANGUAGES else LANGUAGES[0],
    )


def _date(text: str, today: date) -> date:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return today
    return found if 2000 <= found.year <= today.year + 1 else today


def _report(store: Store, query: PageQuery) -> Report:
    make: Callable[[Store, str, date], Report] = week_report if query.period == "week" else day_report
    return make(store, query.spot, query.date)


def _page(report: Report, query: PageQuery, titles: dict[str, str], known: list[str]) -> str:
    w = catalogue(query.lang)
    names = [ALL_SPOTS, *titles, *(name for name in known if name not in titles)]
    columns = report_text.columns(report)
    return render_template(
        "stats.html",
        w=w,
        query=query,
        spots=[(name, w.spot(name, titles)) for name in names],
        spot=w.spot(report.spot, titles),
        period=report_text.period(report, w),
        columns=columns,
        rows=[
            (report_text.label(row, w), report_text.cells(row, columns), report_text.has_usage(row))
            for row in report.rows
        ],
        total=report_text.cells(report.total, columns),
        parts=[(w.part(part), report_text.shares(report.parts[part], part, w)) for part in PARTS],
        notes=report_text.notes(report, w),
        has_usage=report_text.has_usage(report.total),
        other_languages=[(code, catalogue(code)("language_name")) for code in LANGUAGES if code != query.lang],
    )


def _image(report: Report, w: StatsCatalogue) -> Response:
    labels = [report_text.label(row, w) for row in report.rows]
    series = {w(name): [getattr(row, name) for row in report.rows] for name in ("sessions", "visitors")}
    missing = report.total.sessions is None
    drawn = draw(labels, series, no_data=w("no_data_in_period" if missing else "nothing"))
    response = Response(drawn.svg, mimetype="image/svg+xml")
    response.headers["Content-Security-Policy"] = picture_policy(drawn.style)
    return response


def _add_security_headers(response: Response) -> Response:
    for name, value in (*HEADERS[PageKind.STATISTICS].items(), NO_STORE):
        response.headers.setdefault(name, value)
    return response
