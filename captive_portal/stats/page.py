"""The staff page: a chart and tables of one spot's day or week. Listens on loopback; it can only read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from flask import Flask, Response, render_template, request, url_for

from captive_portal.settings import WifiSettings
from captive_portal.stats import show
from captive_portal.stats.chart import draw
from captive_portal.stats.codes import BOX, PARTS
from captive_portal.stats.report import Report, Row, day_report, known_spots, week_report
from captive_portal.stats.words import LANGUAGES, Words, words
from device.catalogue import name_in
from device.clock import Clock
from device.store import Store
from device.web_headers import HEADERS, NO_STORE, PageKind, picture_policy


@dataclass(frozen=True)
class Choice:
    """What the address bar asks for; anything odd in it becomes the usual: all spots, the day that is now, Japanese."""

    spot: str
    period: Literal["day", "week"]
    date: date
    lang: str

    def url(self, endpoint: str = "usage", **changes: object) -> str:
        """The address of this choice, with ``changes``."""
        facts = {"spot": self.spot, "period": self.period, "date": self.date.isoformat(), "lang": self.lang}
        return url_for(endpoint, **{**facts, **changes})  # type: ignore[arg-type]  # flask types the rest as its own keywords

    def step(self, steps: int) -> str:
        """The address of the day or week before or after."""
        return self.url(date=(self.date + timedelta(days=steps * (7 if self.period == "week" else 1))).isoformat())


def create_stats_app(settings: WifiSettings, store: Store, clock: Clock) -> Flask:
    """The page. ``store``: ledger.open_ledger."""
    app = Flask(__name__)
    # A page elsewhere that points its own name at 127.0.0.1 (DNS rebinding) is turned away.
    app.config.update(TRUSTED_HOSTS=["127.0.0.1", "localhost", "[::1]"], MAX_CONTENT_LENGTH=1024)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    titles = {language: _titles(settings, language) for language in LANGUAGES}

    def choose() -> Choice:
        spots = {BOX, *titles["ja"], *known_spots(store)}
        return _choice(spots, clock.now().date())

    def usage() -> str:
        choice = choose()
        return _page(_report(store, choice), choice, titles[choice.lang], known_spots(store))

    def chart() -> Response:
        choice = choose()
        return _image(_report(store, choice), words(choice.lang))

    app.add_url_rule("/", "usage", usage, methods=["GET"])
    app.add_url_rule("/chart.svg", "chart", chart, methods=["GET"])
    app.add_url_rule("/favicon.ico", "favicon", lambda: Response(status=204), methods=["GET"])
    app.after_request(_guard)
    return app


def _titles(settings: WifiSettings, language: str) -> dict[str, str]:
    return {spot.name: name_in(language, spot.title_ja, spot.title_en) for spot in settings.spots}


def _choice(spots: set[str], today: date) -> Choice:
    asked = request.args
    spot, lang = asked.get("spot", BOX), asked.get("lang", LANGUAGES[0])
    return Choice(
        spot=spot if spot in spots else BOX,
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


def _report(store: Store, choice: Choice) -> Report:
    make: Callable[[Store, str, date], Report] = week_report if choice.period == "week" else day_report
    return make(store, choice.spot, choice.date)


def _page(report: Report, choice: Choice, titles: dict[str, str], known: list[str]) -> str:
    w = words(choice.lang)
    names = [BOX, *titles, *(name for name in known if name not in titles)]
    columns = show.columns(report)
    return render_template(
        "stats.html",
        w=w,
        choice=choice,
        spots=[(name, w.spot(name, titles)) for name in names],
        spot=w.spot(report.spot, titles),
        period=show.show_period(report, w),
        columns=columns,
        rows=[(show.label(row, w), show.cells(row, columns), _used(row)) for row in report.rows],
        total=show.cells(report.total, columns),
        parts=[(w.part(part), show.shares(report.parts[part], part, w)) for part in PARTS],
        empty=not _used(report.total),
        other="en" if choice.lang == "ja" else "ja",
    )


def _used(row: Row) -> bool:
    return bool(row.sessions or row.minutes or row.refused or row.disaster_phones)


def _image(report: Report, w: Words) -> Response:
    labels = [show.label(row, w) for row in report.rows]
    series = {w(name): [getattr(row, name) for row in report.rows] for name in ("sessions", "visitors")}
    drawn = draw(labels, series, no_data=w("nothing"))
    response = Response(drawn.svg, mimetype="image/svg+xml")
    response.headers["Content-Security-Policy"] = picture_policy(drawn.style)
    return response


def _guard(response: Response) -> Response:
    for name, value in (*HEADERS[PageKind.STATISTICS].items(), NO_STORE):
        response.headers.setdefault(name, value)
    return response
