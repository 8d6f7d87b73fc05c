"""The pages and forms: what each shows and does. A GET changes nothing; every form carries a signed token.

No web framework: a PageRequest in, a PageResponse out.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

import msgspec
from werkzeug.http import dump_cookie

from captive_portal.gate.client import GateClient
from captive_portal.gate.protocol import NoteRefused, Open, Opened, Phone, PhoneState, Refused, SessionView
from captive_portal.portal.login.method import Accepted, CodeSent, LoginMethod, Rejected, Visitor
from captive_portal.portal.page_renderer import PageError, PageModel, PageRenderer, SessionSummary, device_of
from captive_portal.portal.page_request import PageRequest, PageResponse
from captive_portal.portal.tokens import FormTokens
from captive_portal.portal.view import LOGIN_PAGES, REFUSED, Page, login_obstacle, page_of, spot_of
from captive_portal.settings import WifiSettings

RESUME_COOKIE = "resume"
_UNKNOWN_PHONE = Phone(phone="", spot="", state=PhoneState.UNKNOWN)
_MAX_TOKEN_LENGTH = 2000


class Pages:
    """Checks every form and chooses every page. One object for all requests, without state."""

    def __init__(
        self,
        settings: WifiSettings,
        gate: GateClient,
        tokens: FormTokens,
        methods: Mapping[str, LoginMethod],
        renderer: PageRenderer,
    ) -> None:
        self._settings = settings
        self._gate = gate
        self._tokens = tokens
        self._methods = methods
        self._renderer = renderer

    # -- pages --

    def home(self, request: PageRequest) -> PageResponse:
        """The page for the gate's state of this phone."""
        return self._home(request, self._gate.lookup(request.ip, request.port))

    def _home(
        self, request: PageRequest, phone: Phone, error: PageError | None = None, status: int = 200
    ) -> PageResponse:
        page, cookie_token = page_of(phone), request.cookies.get(RESUME_COOKIE, "")
        if page is Page.DISASTER:
            return self._renderer.render(request, PageModel(page, phone, error, disaster=self._gate.disaster()), status)
        if page is Page.ONLINE and phone.session:
            return self._online(request, phone, phone.session, cookie_token, error=error, status=status)
        offer_token = cookie_token if page is Page.WELCOME else ""
        code_request = self._pending_code(phone) if page in LOGIN_PAGES else ""
        return self._renderer.render(
            request, PageModel(page, phone, error, offer_token=offer_token, code_request=code_request), status
        )

    def _pending_code(self, phone: Phone) -> str:
        methods = spot_of(self._settings, phone).login if phone.phone else []
        return next(
            (code_request for method in methods if (code_request := self._methods[method].pending_code(phone.phone))),
            "",
        )

    def terms(self, request: PageRequest) -> PageResponse:
        """The terms, with the log-in form below them unless the phone is online."""
        phone = self._gate.lookup(request.ip, request.port)
        with_login = page_of(phone) in LOGIN_PAGES and not login_obstacle(phone)
        return self._renderer.render(request, PageModel(Page.TERMS, phone, with_login=with_login))

    def code(self, request: PageRequest) -> PageResponse:
        """Where the mailed code is typed."""
        phone = self._gate.lookup(request.ip, request.port)
        if page_of(phone) not in LOGIN_PAGES:
            return self._home(request, phone)
        return self._code(request, phone, request.args.get("request", "")[:64])

    def _code(
        self, request: PageRequest, phone: Phone, code_request: str, error: PageError | None = None
    ) -> PageResponse:
        return self._renderer.render(
            request, PageModel(Page.WELCOME, phone, error, "code.html", {"request": code_request})
        )

    def resume_offer(self, request: PageRequest) -> PageResponse:
        """The page behind the resume link: a button, since a GET changes nothing."""
        phone = self._gate.lookup(request.ip, request.port)
        if page_of(phone) not in LOGIN_PAGES:
            return self._home(request, phone)
        token = request.args.get("token", "")[:_MAX_TOKEN_LENGTH]
        return self._renderer.render(
            request, PageModel(Page.WELCOME, phone, template="resume.html", hidden_fields={"token": token})
        )

    def disaster(self, request: PageRequest) -> PageResponse:
        """The information page, while the switch is on."""
        state = self._gate.disaster()
        if not state.on:
            return self.redirect_home(request)
        return self._renderer.render(
            request, PageModel(Page.DISASTER, self._gate.lookup(request.ip, request.port), disaster=state)
        )

    def _online(
        self,
        request: PageRequest,
        phone: Phone,
        session: SessionView,
        token: str,
        *,
        error: PageError | None = None,
        status: int = 200,
    ) -> PageResponse:
        model = PageModel(Page.ONLINE, phone, error, session=SessionSummary.of(session, token))
        response = self._renderer.render(request, model, status)
        return _with_cookie(request, response, token, max(60, session.seconds_left)) if token else response

    # -- forms --

    def login(self, request: PageRequest) -> PageResponse:
        """Check a log-in form; the page shows "online" only after the gate opened."""
        phone = self._gate.lookup(request.ip, request.port)
        if page_of(phone) in (Page.ONLINE, Page.DISASTER):
            return self._home(request, phone)
        name = request.form.get("method", "")
        method = self._methods.get(name) if name in spot_of(self._settings, phone).login else None
        if method is None or not self._token_is_valid(request):
            return self._home(request, phone, PageError("error_form"), 403)
        if not phone.leased:  # before a mail is sent or a voucher looked at: a made-up address costs nothing
            return self._rejected(request, phone, name, Rejected("error_no_lease"))
        visitor = Visitor(phone.phone, self._renderer.language(request).code)
        outcome = method.attempt(visitor, request.form)
        if isinstance(outcome, CodeSent):
            return _see_other("/code", {"request": outcome.request, **_link_query(request)})
        if isinstance(outcome, Rejected):
            return self._rejected(request, phone, name, outcome)
        return self._open(request, phone, name, method, outcome)

    def _rejected(self, request: PageRequest, phone: Phone, name: str, rejected: Rejected) -> PageResponse:
        device, language = device_of(request).value, self._renderer.language(request).code
        why = rejected.error.removeprefix("error_")
        self._gate.note_refused(
            NoteRefused(ip=request.ip, port=request.port, method=name, why=why, language=language, device=device)
        )
        error = PageError(rejected.error, rejected.values, request.form)
        return (
            self._code(request, phone, rejected.request, error)
            if rejected.request
            else self._home(request, phone, error)
        )

    def _open(
        self, request: PageRequest, phone: Phone, name: str, method: LoginMethod, accepted: Accepted
    ) -> PageResponse:
        response = self._gate.open(
            Open(
                ip=request.ip,
                port=request.port,
                method=name,
                minutes=accepted.minutes,
                language=self._renderer.language(request).code,
                device=device_of(request).value,
                account=accepted.account,
            )
        )  # when the gate does not answer, a voucher stays claimed: nobody knows whether it was used
        method.finish(accepted, isinstance(response, Opened))
        return self._after_gate(request, phone, response)

    def _after_gate(self, request: PageRequest, phone: Phone, response: Opened | Refused) -> PageResponse:
        """The page after the gate's answer to a log-in, a resume or an extension."""
        if isinstance(response, Opened) and response.view is not None and phone.phone:
            after = msgspec.structs.replace(phone, state=PhoneState.ONLINE, session=response.view)
        else:
            after = self._gate.lookup(request.ip, request.port)
        if isinstance(response, Opened) and after.session is not None:
            return self._online(request, after, after.session, response.token)
        key = REFUSED[response.refused] if isinstance(response, Refused) else "error_busy"
        return self._home(request, after if after.phone else phone, PageError(key))

    def extend(self, request: PageRequest) -> PageResponse:
        """Extend the session."""
        phone = self._gate.lookup(request.ip, request.port)
        if not self._token_is_valid(request):
            return self._home(request, phone, PageError("error_form"), 403)
        return self._after_gate(request, phone, self._gate.extend(request.ip, port=request.port))

    def resume(self, request: PageRequest) -> PageResponse:
        """Go on with the remaining time on a new MAC."""
        phone = self._gate.lookup(request.ip, request.port)
        if not self._token_is_valid(request):
            return self._home(request, phone, PageError("error_form"), 403)
        token = request.form.get("resume_token", "")[:_MAX_TOKEN_LENGTH]
        return self._after_gate(request, phone, self._gate.resume(request.ip, token, request.port))

    def logout(self, request: PageRequest) -> PageResponse:
        """End the session now; the cookie is deleted with it."""
        if not self._token_is_valid(request):
            return self._home(request, self._gate.lookup(request.ip, request.port), PageError("error_form"), 403)
        self._gate.end(ip=request.ip, port=request.port)
        return _with_cookie(request, self._home(request, self._gate.lookup(request.ip, request.port)), "", 0)

    def redirect_home(self, request: PageRequest) -> PageResponse:
        """A form's path requested with GET (a bookmark, a reload): home."""
        return _see_other("/", _link_query(request))

    # -- errors --

    def gate_unavailable(self, request: PageRequest) -> PageResponse:
        """503 with a page to try again, as the gate restarts within seconds."""
        response = self.error_page(request, "error_busy", 503)
        return response._replace(headers=(*response.headers, ("Retry-After", "5")))

    def error_page(self, request: PageRequest, key: str, status: int) -> PageResponse:
        """A page for a request that could not be read or served; the gate is not asked."""
        return self._renderer.render(
            request, PageModel(Page.WELCOME, _UNKNOWN_PHONE, PageError(key), "error.html"), status
        )

    def _token_is_valid(self, request: PageRequest) -> bool:
        return self._tokens.is_valid(request.ip, request.form.get("token", ""))


def _link_query(request: PageRequest) -> dict[str, str]:
    """The query of a redirect: the chosen language, which is in no cookie."""
    chosen = request.args.get("lang", "")
    return {"lang": chosen} if chosen else {}


def _see_other(path: str, query: Mapping[str, str]) -> PageResponse:
    return PageResponse(303, (("Location", f"{path}?{urlencode(query)}" if query else path),))


def _with_cookie(request: PageRequest, response: PageResponse, token: str, seconds: int) -> PageResponse:
    """seconds 0: delete the cookie."""
    cookie = dump_cookie(
        RESUME_COOKIE,
        token,
        max_age=seconds,
        expires=None if seconds else 0,
        httponly=True,
        secure=request.secure,
        samesite="Lax",
    )
    return response._replace(headers=(*response.headers, ("Set-Cookie", cookie)))
