"""The staff's pages: boxes, approvals, codes, revocation. Plain forms, no script; every POST carries its session's
token.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import cast

from flask import Blueprint, Response, abort, g, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from device.clock import Clock
from provisioning.cityhall.accounts import MIN_LETTERS, LoggedIn, StaffRoom, right_form
from provisioning.cityhall.boxes.authority import fingerprint
from provisioning.cityhall.boxes.codes import BOX_NAME
from provisioning.cityhall.boxes.enrolment import Office
from provisioning.cityhall.boxes.expiry import Ends, warnings
from provisioning.cityhall.boxes.findings import next_step, title
from provisioning.cityhall.boxes.reading import Records
from provisioning.cityhall.settings import CityHallSettings
from provisioning.cityhall.staff.view import STATES, ago, moment, see
from provisioning.cityhall.staff.words import LANGUAGES, Words, words

COOKIE = "__Host-hiroba-staff"
LANGUAGE_COOKIE = "hiroba-lang"


@dataclass(frozen=True)
class Pages:
    """What the pages stand on. ends: when the service's own credentials are over."""

    settings: CityHallSettings
    records: Records
    office: Office
    staff: StaffRoom
    clock: Clock
    ends: Ends = field(default_factory=Ends)

    @property
    def now(self) -> int:
        """Unix seconds."""
        return int(self.clock.now().timestamp())


def build_pages(pages: Pages) -> Blueprint:
    """All of them, as one blueprint."""
    site = Blueprint("staff", __name__)
    site.before_request(lambda: _guard(pages))
    site.context_processor(lambda: _shared(pages))
    _log_in(site, pages)
    _reading(site, pages)
    _enrolments(site, pages)
    _codes(site, pages)
    _revocation(site, pages)
    _password(site, pages)
    return site


def language() -> str:
    """Chosen by ?lang=, kept in a cookie, else Japanese."""
    chosen = request.args.get("lang") or request.cookies.get(LANGUAGE_COOKIE, "")
    return chosen if chosen in LANGUAGES else LANGUAGES[0]


def shown(template: str, status: int = 200, **places: object) -> Response:
    """A page."""
    response = make_response(render_template(template, **places), status)
    if request.args.get("lang") in LANGUAGES:
        response.set_cookie(LANGUAGE_COOKIE, language(), max_age=31536000, secure=True, httponly=True, samesite="Lax")
    return response


def _guard(pages: Pages) -> AnyResponse | None:
    """Nobody passes without a session; no form passes without its token or from another site."""
    by_itself = request.method == "GET" and "auto" in request.args  # the page, not a person: the session grows idle
    g.who = pages.staff.who(request.cookies.get(COOKIE, ""), used=not by_itself)
    if request.method == "POST" and request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        abort(403)
    if request.endpoint == "staff.log_in":
        return None
    if g.who is None:
        return redirect(url_for("staff.log_in"), 303)
    if request.method == "POST" and not right_form(g.who, request.form.get("token", "")):
        abort(403)
    return None


def _me() -> LoggedIn:
    return cast("LoggedIn", g.who)


def _shared(pages: Pages) -> dict[str, object]:
    w = words(language())
    return {
        "w": w,
        "who": g.get("who"),
        "city": pages.settings.city_name,
        "other": next(name for name in LANGUAGES if name != w.language),
        "waiting": lambda: len(pages.records.pending()),
        "moment": moment,
        "fingerprint": fingerprint,
        "place": lambda box: pages.settings.place(box, w.language),
        "finding": lambda code: title(code, w.language),
        "next_step": lambda code: next_step(code, w.language),
        "warnings": lambda: warnings(pages.ends, pages.now),
        "ago": lambda at: _ago(w, pages.now - at),
    }


def _ago(w: Words, seconds: int) -> str:
    unit, count = ago(seconds)
    return w(f"ago_{unit}", count=count)


def _log_in(site: Blueprint, pages: Pages) -> None:
    @site.route("/login", methods=["GET", "POST"])
    def log_in() -> AnyResponse:
        if request.method == "GET":
            return shown("login.html")
        name, address = request.form.get("name", "")[:63], request.remote_addr or ""
        if pages.staff.too_many(name, address):
            return shown("login.html", 429, wrong="login_too_many")
        cookie = pages.staff.log_in(name, request.form.get("password", "")[:256], address)
        if cookie is None:
            return shown("login.html", 403, wrong="login_wrong", name=name)
        answer = redirect(url_for("staff.boxes"), 303)
        answer.set_cookie(COOKIE, cookie, secure=True, httponly=True, samesite="Strict", path="/")
        return answer

    @site.post("/logout")
    def log_out() -> AnyResponse:
        pages.staff.log_out(request.cookies.get(COOKIE, ""))
        answer = redirect(url_for("staff.log_in"), 303)
        answer.delete_cookie(COOKIE, secure=True, httponly=True, samesite="Strict")
        return answer


def _reading(site: Blueprint, pages: Pages) -> None:
    silent = pages.settings.silent_minutes * 60

    @site.get("/")
    def boxes() -> Response:
        seen = [see(box, pages.now, silent) for box in pages.records.boxes()]
        counts = Counter(s.state for s in seen)
        chosen = request.args.get("state", "")
        rows = sorted((s for s in seen if chosen in ("", s.state)), key=lambda s: (STATES.index(s.state), s.name))
        return shown("boxes.html", rows=rows, counts=counts, states=STATES, chosen=chosen, total=len(seen))

    @site.get("/boxes/<name>")
    def box(name: str) -> Response:
        found = pages.records.box(name) or abort(404)
        return shown(
            "box.html",
            box=found,
            seen=see(found, pages.now, silent),
            messages=pages.records.messages(name),
            deeds=pages.records.deeds(name),
        )

    @site.get("/deeds")
    def deeds() -> Response:
        return shown("deeds.html", deeds=pages.records.deeds())


def _enrolments(site: Blueprint, pages: Pages) -> None:
    @site.get("/enrolments")
    def enrolments() -> Response:
        return shown("enrolments.html", pending=pages.records.pending(), decided=pages.records.decided())

    @site.post("/enrolments/<name>")
    def decide(name: str) -> AnyResponse:
        decision = {"approve": pages.office.approve, "decline": pages.office.decline}.get(
            request.form.get("decision", "")
        )
        if decision is None:
            abort(400)
        decision(name, _me().name)
        return redirect(url_for("staff.enrolments"), 303)


def _codes(site: Blueprint, pages: Pages) -> None:
    @site.route("/codes", methods=["GET", "POST"])
    def codes() -> Response:
        made, wrong, name = "", "", ""
        if request.method == "POST":
            name = request.form.get("box", "").strip()
            wrong = "" if BOX_NAME.fullmatch(name) else "code_name_wrong"
            made = "" if wrong else pages.records.new_code(name, _me().name, pages.now, pages.settings.code_days)
        unused = pages.records.open_codes(pages.now)
        days = pages.settings.code_days
        return shown("codes.html", 400 if wrong else 200, made=made, wrong=wrong, name=name, codes=unused, days=days)


def _revocation(site: Blueprint, pages: Pages) -> None:
    @site.post("/boxes/<name>/revoke")
    def revoke(name: str) -> AnyResponse:
        """Typed by name: a slip of the hand must not switch a plaza off."""
        found = pages.records.box(name) or abort(404)
        if request.form.get("typed", "").strip() != found.name:
            silent = pages.settings.silent_minutes * 60
            return shown(
                "box.html",
                400,
                box=found,
                seen=see(found, pages.now, silent),
                messages=pages.records.messages(name),
                deeds=pages.records.deeds(name),
                wrong="revoke_not_typed",
            )
        pages.office.revoke(name, _me().name)
        return redirect(url_for("staff.box", name=name), 303)


def _password(site: Blueprint, pages: Pages) -> None:
    @site.route("/password", methods=["GET", "POST"])
    def password() -> AnyResponse:
        """One's own alone; afterwards every session of that name is over, this one too."""
        if request.method == "GET":
            return shown("password.html", least=MIN_LETTERS)
        me, address = _me().name, request.remote_addr or ""
        new, again = (request.form.get(field, "")[:256] for field in ("new", "again"))
        if pages.staff.too_many(me, address):
            return shown("password.html", 429, wrong="login_too_many", least=MIN_LETTERS)
        if len(new) < MIN_LETTERS or new != again:
            return shown("password.html", 400, wrong="password_unlike", least=MIN_LETTERS)
        if not pages.staff.change(me, request.form.get("now", "")[:256], new, address):
            return shown("password.html", 403, wrong="password_wrong", least=MIN_LETTERS)
        return redirect(url_for("staff.log_in"), 303)
