"""The pages and forms. Nothing changes by a GET; every form carries a signed token. May import: portal, gate, flask."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import Blueprint, Response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from captive_portal.gate.client import GateClient
from captive_portal.gate.protocol import NoteRefused, Open, Opened, Phone, PhoneState, Refused, SessionView
from captive_portal.portal.languages import Catalogue, choose_language
from captive_portal.portal.login.method import AskCode, Fail, LoginMethod, Pass, Visitor
from captive_portal.portal.probes import DeviceKind, kind_of_agent
from captive_portal.portal.redirect import Origins
from captive_portal.portal.tokens import FormTokens
from captive_portal.portal.view import (
    REFUSED,
    Page,
    megabytes_left,
    minutes_left,
    page_of,
    place_of,
    spot_of,
    standing_error,
)
from captive_portal.settings import WifiSettings

RESUME_COOKIE = "resume"
_NOBODY = Phone(phone="", spot="", state=PhoneState.UNKNOWN)
_TEMPLATES = {
    Page.WELCOME: "entry.html",
    Page.ENDED: "entry.html",
    Page.TERMS: "terms.html",
    Page.ONLINE: "online.html",
    Page.CLOSED: "closed.html",
    Page.DISASTER: "disaster.html",
}


@dataclass(frozen=True)
class Error:
    """A sentence to show above the page's forms. typed: what stood in them, to be mended and not typed anew."""

    key: str
    values: Mapping[str, object] = field(default_factory=dict)
    typed: Mapping[str, str] = field(default_factory=dict)


class Pages:
    """Draws every page and judges every form. One object for all requests; it keeps nothing of any of them."""

    def __init__(
        self,
        *,
        settings: WifiSettings,
        gate: GateClient,
        tokens: FormTokens,
        methods: Mapping[str, LoginMethod],
        catalogues: Mapping[str, Catalogue],
        origins: Origins,
    ) -> None:
        self._settings = settings
        self._gate = gate
        self._tokens = tokens
        self._methods = methods
        self._catalogues = catalogues
        self._origins = origins

    # -- pages --

    def home(self) -> AnyResponse:
        """The page that fits what the gate says of this phone."""
        return self._home(self._gate.lookup(_ip()))

    def _home(self, phone: Phone, error: Error | None = None, status: int = 200) -> AnyResponse:
        page = page_of(phone)
        if page is Page.DISASTER:
            return self.draw(page, phone, error, status, disaster=self._gate.disaster())
        if page is Page.ONLINE and phone.session:
            return self._online(phone, phone.session, request.cookies.get(RESUME_COOKIE, ""), error, status)
        return self.draw(page, phone, error, status)

    def terms(self) -> AnyResponse:
        """The terms, with the log-in form below them while the phone waits."""
        phone = self._gate.lookup(_ip())
        waits = page_of(phone) in (Page.WELCOME, Page.ENDED) and not standing_error(phone)
        return self.draw(Page.TERMS, phone, waits=waits)

    def code(self) -> AnyResponse:
        """Where the mailed code is typed."""
        phone = self._gate.lookup(_ip())
        if page_of(phone) not in (Page.WELCOME, Page.ENDED):
            return self._home(phone)
        return self._code(phone, request.args.get("request", "")[:64])

    def _code(self, phone: Phone, mailed: str, error: Error | None = None, status: int = 200) -> AnyResponse:
        return self.draw(Page.WELCOME, phone, error, status, template="code.html", keep={"request": mailed})

    def resume_offer(self) -> AnyResponse:
        """The page behind the resume link: a button, since a GET changes nothing."""
        phone = self._gate.lookup(_ip())
        if page_of(phone) is not Page.WELCOME and page_of(phone) is not Page.ENDED:
            return self._home(phone)
        token = request.args.get("token", "")[:2000]
        return self.draw(Page.WELCOME, phone, template="resume.html", keep={"token": token})

    def disaster(self) -> AnyResponse:
        """The information page, while the switch is on."""
        state = self._gate.disaster()
        if not state.on:
            return redirect(url_for("pages.home", **_carried()), 303)
        return self.draw(Page.DISASTER, self._gate.lookup(_ip()), disaster=state)

    def _online(
        self, phone: Phone, session: SessionView, token: str, error: Error | None = None, status: int = 200
    ) -> AnyResponse:
        response = self.draw(
            Page.ONLINE,
            phone,
            error,
            status,
            session=session,
            minutes=minutes_left(session.seconds_left),
            megabytes=None if session.bytes_left is None else megabytes_left(session.bytes_left),
            resume_token=token,
        )
        if token:
            secure = request.scheme == "https"
            age = max(60, session.seconds_left)
            response.set_cookie(RESUME_COOKIE, token, max_age=age, httponly=True, secure=secure, samesite="Lax")
        return response

    # -- forms --

    def login(self) -> AnyResponse:
        """Judge a log-in form; the page says "online" only after the gate did."""
        phone = self._gate.lookup(_ip())
        if page_of(phone) in (Page.ONLINE, Page.DISASTER):
            return self._home(phone)
        name = request.form.get("method", "")
        method = self._methods.get(name) if name in spot_of(self._settings, phone).login else None
        if method is None or not self._genuine():
            return self._home(phone, Error("error_form"), 403)
        visitor = Visitor(phone.phone or _ip(), self._language().code)
        outcome = method.attempt(visitor, request.form)
        if isinstance(outcome, AskCode):
            return redirect(url_for("pages.code", request=outcome.request, **_carried()), 303)
        if isinstance(outcome, Fail):
            return self._failed(phone, name, outcome)
        return self._open(phone, name, method, outcome)

    def _failed(self, phone: Phone, name: str, fail: Fail) -> AnyResponse:
        device, language = self._device().value, self._language().code
        self._gate.note_refused(
            NoteRefused(ip=_ip(), method=name, why=fail.error.removeprefix("error_"), language=language, device=device)
        )
        error = Error(fail.error, fail.values, request.form)
        return self._code(phone, fail.request, error) if fail.request else self._home(phone, error)

    def _open(self, phone: Phone, name: str, method: LoginMethod, passed: Pass) -> AnyResponse:
        answer = self._gate.open(
            Open(
                ip=_ip(),
                method=name,
                minutes=passed.minutes,
                language=self._language().code,
                device=self._device().value,
                account=passed.account,
            )
        )  # when the gate does not answer, a voucher stays claimed: nobody knows whether it was used
        method.settle(passed, isinstance(answer, Opened))
        return self._entered(phone, answer)

    def _entered(self, phone: Phone, answer: Opened | Refused) -> AnyResponse:
        """Draw what the gate made of a log-in, a resume or an extension."""
        after = self._gate.lookup(_ip())
        if isinstance(answer, Opened) and after.session is not None:
            return self._online(after, after.session, answer.token)
        key = REFUSED[answer.refused] if isinstance(answer, Refused) else "error_busy"
        return self._home(after if after.phone else phone, Error(key))

    def extend(self) -> AnyResponse:
        """More time."""
        phone = self._gate.lookup(_ip())
        if not self._genuine():
            return self._home(phone, Error("error_form"), 403)
        return self._entered(phone, self._gate.extend(_ip()))

    def resume(self) -> AnyResponse:
        """Go on with the remaining time on a new MAC."""
        phone = self._gate.lookup(_ip())
        if not self._genuine():
            return self._home(phone, Error("error_form"), 403)
        return self._entered(phone, self._gate.resume(_ip(), request.form.get("resume_token", "")[:2000]))

    def logout(self) -> AnyResponse:
        """End the session now; the cookie goes with it, since there is no session left to resume."""
        if not self._genuine():
            return self._home(self._gate.lookup(_ip()), Error("error_form"), 403)
        self._gate.end(ip=_ip())
        response = self._home(self._gate.lookup(_ip()))
        response.delete_cookie(RESUME_COOKIE)
        return response

    def back_home(self) -> AnyResponse:
        """A form's address opened as a page (a bookmark, a reload): home."""
        return redirect(url_for("pages.home", **_carried()), 303)

    # -- without the gate --

    def without_gate(self) -> Response:
        """503 with a page to try again, as the gate restarts within seconds."""
        response = self.bare_error("error_busy", 503)
        response.headers["Retry-After"] = "5"
        return response

    def bare_error(self, key: str, status: int) -> Response:
        """A page for a request that could not be read or served; it asks nobody anything."""
        response = self.draw(Page.WELCOME, _NOBODY, Error(key), status, template="error.html")
        return response if isinstance(response, Response) else Response(status=status)

    # -- drawing --

    def draw(
        self,
        page: Page,
        phone: Phone,
        error: Error | None = None,
        status: int = 200,
        *,
        template: str = "",
        keep: Mapping[str, str] | None = None,
        **more: object,
    ) -> AnyResponse:
        """One page. ``keep``: what the language choice has to carry along, next to the kind of device."""
        t, portal = self._language(), self._settings.portal
        standing = standing_error(phone) if page in (Page.WELCOME, Page.ENDED) else ""
        html = render_template(
            template or _TEMPLATES[page],
            page=page.value,
            t=t,
            languages=[(c, self._catalogues[c].plain("name")) for c in portal.languages if c in self._catalogues],
            place=place_of(spot_of(self._settings, phone), portal, t.code),
            error=Error(standing) if standing and not error else error,
            barred=bool(standing),
            typed=error.typed if error else {},
            token=self._tokens.issue(_ip()),
            origin=self._origins.of(_ip()),
            carried={**_carried(t.code), "d": self._device().value},
            keep={"d": self._device().value, **(keep or {})},
            here=request.path if request.method == "GET" and status < 400 else url_for("pages.home"),
            offer_token=request.cookies.get(RESUME_COOKIE, "") if page is Page.WELCOME else "",
            **more,
        )
        return Response(html, status, content_type="text/html; charset=utf-8", headers={"Content-Language": t.code})

    def _genuine(self) -> bool:
        return self._tokens.holds(_ip(), request.form.get("token", ""))

    def _language(self) -> Catalogue:
        offered = [c for c in self._settings.portal.languages if c in self._catalogues] or list(self._catalogues)
        accept = request.headers.get("Accept-Language", "")
        return self._catalogues[choose_language(request.args.get("lang"), accept, offered)]

    @staticmethod
    def _device() -> DeviceKind:
        hinted = DeviceKind.parse(request.args.get("d", ""))
        return hinted if hinted is not DeviceKind.OTHER else kind_of_agent(request.headers.get("User-Agent", "")[:300])


def _ip() -> str:
    """The phone's own address: the gate keeps it when it redirects port 80."""
    return request.remote_addr or ""


def _carried(language: str = "") -> dict[str, Any]:
    """What every link and form carries instead of a cookie: the language, when one was chosen."""
    chosen = language or request.args.get("lang", "")
    return {"lang": chosen} if chosen else {}


def build_pages(pages: Pages) -> Blueprint:
    """The routes."""
    blueprint = Blueprint("pages", __name__)
    for path, name, view in (
        ("/", "home", pages.home),
        ("/terms", "terms", pages.terms),
        ("/code", "code", pages.code),
        ("/resume", "resume_offer", pages.resume_offer),
        ("/disaster", "disaster", pages.disaster),
    ):
        blueprint.add_url_rule(path, name, view, methods=["GET"])
    for path, name, view in (
        ("/login", "login", pages.login),
        ("/extend", "extend", pages.extend),
        ("/resume", "resume", pages.resume),
        ("/logout", "logout", pages.logout),
    ):
        blueprint.add_url_rule(path, name, view, methods=["POST"])
        if path != "/resume":
            blueprint.add_url_rule(path, f"{name}_seen", pages.back_home, methods=["GET"])
    return blueprint
