"""The pages and forms: what each says and does. Nothing changes by a GET; every form carries a signed token.

It knows no web framework: an Asked in, an Answer out.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

import msgspec
from werkzeug.http import dump_cookie

from captive_portal.gate.client import GateClient
from captive_portal.gate.protocol import NoteRefused, Open, Opened, Phone, PhoneState, Refused, SessionView
from captive_portal.portal.asked import Answer, Asked
from captive_portal.portal.drawing import Drawing, Error, Left, Sheet, device_of
from captive_portal.portal.login.method import AskCode, Fail, LoginMethod, Pass, Visitor
from captive_portal.portal.tokens import FormTokens
from captive_portal.portal.view import REFUSED, Page, page_of, spot_of, standing_error
from captive_portal.settings import WifiSettings

RESUME_COOKIE = "resume"
_NOBODY = Phone(phone="", spot="", state=PhoneState.UNKNOWN)
_WAITING = (Page.WELCOME, Page.ENDED)
_MAX_TOKEN = 2000


class Pages:
    """Judges every form and chooses every page. One object for all requests; it keeps nothing of any of them."""

    def __init__(
        self,
        settings: WifiSettings,
        gate: GateClient,
        tokens: FormTokens,
        methods: Mapping[str, LoginMethod],
        drawing: Drawing,
    ) -> None:
        self._settings = settings
        self._gate = gate
        self._tokens = tokens
        self._methods = methods
        self._drawing = drawing

    # -- pages --

    def home(self, asked: Asked) -> Answer:
        """The page that fits what the gate says of this phone."""
        return self._home(asked, self._gate.lookup(asked.ip))

    def _home(self, asked: Asked, phone: Phone, error: Error | None = None, status: int = 200) -> Answer:
        page, kept = page_of(phone), asked.cookies.get(RESUME_COOKIE, "")
        if page is Page.DISASTER:
            return self._drawing.draw(asked, Sheet(page, phone, error, disaster=self._gate.disaster()), status)
        if page is Page.ONLINE and phone.session:
            return self._online(asked, phone, phone.session, kept, error=error, status=status)
        offer = kept if page is Page.WELCOME else ""
        mailed = self._mailed(phone) if page in _WAITING else ""
        return self._drawing.draw(asked, Sheet(page, phone, error, offer_token=offer, mailed=mailed), status)

    def _mailed(self, phone: Phone) -> str:
        ways = spot_of(self._settings, phone).login if phone.phone else []
        return next((mailed for way in ways if (mailed := self._methods[way].waiting(phone.phone))), "")

    def terms(self, asked: Asked) -> Answer:
        """The terms, with the log-in form below them while the phone waits."""
        phone = self._gate.lookup(asked.ip)
        waits = page_of(phone) in _WAITING and not standing_error(phone)
        return self._drawing.draw(asked, Sheet(Page.TERMS, phone, waits=waits))

    def code(self, asked: Asked) -> Answer:
        """Where the mailed code is typed."""
        phone = self._gate.lookup(asked.ip)
        if page_of(phone) not in _WAITING:
            return self._home(asked, phone)
        return self._code(asked, phone, asked.args.get("request", "")[:64])

    def _code(self, asked: Asked, phone: Phone, mailed: str, error: Error | None = None) -> Answer:
        return self._drawing.draw(asked, Sheet(Page.WELCOME, phone, error, "code.html", {"request": mailed}))

    def resume_offer(self, asked: Asked) -> Answer:
        """The page behind the resume link: a button, since a GET changes nothing."""
        phone = self._gate.lookup(asked.ip)
        if page_of(phone) not in _WAITING:
            return self._home(asked, phone)
        token = asked.args.get("token", "")[:_MAX_TOKEN]
        return self._drawing.draw(asked, Sheet(Page.WELCOME, phone, template="resume.html", keep={"token": token}))

    def disaster(self, asked: Asked) -> Answer:
        """The information page, while the switch is on."""
        state = self._gate.disaster()
        if not state.on:
            return self.back_home(asked)
        return self._drawing.draw(asked, Sheet(Page.DISASTER, self._gate.lookup(asked.ip), disaster=state))

    def _online(
        self,
        asked: Asked,
        phone: Phone,
        session: SessionView,
        token: str,
        *,
        error: Error | None = None,
        status: int = 200,
    ) -> Answer:
        sheet = Sheet(Page.ONLINE, phone, error, left=Left.of(session, token))
        answer = self._drawing.draw(asked, sheet, status)
        return _with_cookie(asked, answer, token, max(60, session.seconds_left)) if token else answer

    # -- forms --

    def login(self, asked: Asked) -> Answer:
        """Judge a log-in form; the page says "online" only after the gate did."""
        phone = self._gate.lookup(asked.ip)
        if page_of(phone) in (Page.ONLINE, Page.DISASTER):
            return self._home(asked, phone)
        name = asked.form.get("method", "")
        method = self._methods.get(name) if name in spot_of(self._settings, phone).login else None
        if method is None or not self._genuine(asked):
            return self._home(asked, phone, Error("error_form"), 403)
        visitor = Visitor(phone.phone or asked.ip, self._drawing.language(asked).code)
        outcome = method.attempt(visitor, asked.form)
        if isinstance(outcome, AskCode):
            return _see("/code", {"request": outcome.request, **_carried(asked)})
        if isinstance(outcome, Fail):
            return self._failed(asked, phone, name, outcome)
        return self._open(asked, phone, name, method, outcome)

    def _failed(self, asked: Asked, phone: Phone, name: str, fail: Fail) -> Answer:
        device, language = device_of(asked).value, self._drawing.language(asked).code
        why = fail.error.removeprefix("error_")
        self._gate.note_refused(NoteRefused(ip=asked.ip, method=name, why=why, language=language, device=device))
        error = Error(fail.error, fail.values, asked.form)
        return self._code(asked, phone, fail.request, error) if fail.request else self._home(asked, phone, error)

    def _open(self, asked: Asked, phone: Phone, name: str, method: LoginMethod, passed: Pass) -> Answer:
        answer = self._gate.open(
            Open(
                ip=asked.ip,
                method=name,
                minutes=passed.minutes,
                language=self._drawing.language(asked).code,
                device=device_of(asked).value,
                account=passed.account,
            )
        )  # when the gate does not answer, a voucher stays claimed: nobody knows whether it was used
        method.settle(passed, isinstance(answer, Opened))
        return self._entered(asked, phone, answer)

    def _entered(self, asked: Asked, phone: Phone, answer: Opened | Refused) -> Answer:
        """Draw what the gate made of a log-in, a resume or an extension."""
        if isinstance(answer, Opened) and answer.view is not None and phone.phone:
            after = msgspec.structs.replace(phone, state=PhoneState.ONLINE, session=answer.view)
        else:
            after = self._gate.lookup(asked.ip)
        if isinstance(answer, Opened) and after.session is not None:
            return self._online(asked, after, after.session, answer.token)
        key = REFUSED[answer.refused] if isinstance(answer, Refused) else "error_busy"
        return self._home(asked, after if after.phone else phone, Error(key))

    def extend(self, asked: Asked) -> Answer:
        """More time."""
        phone = self._gate.lookup(asked.ip)
        if not self._genuine(asked):
            return self._home(asked, phone, Error("error_form"), 403)
        return self._entered(asked, phone, self._gate.extend(asked.ip))

    def resume(self, asked: Asked) -> Answer:
        """Go on with the remaining time on a new MAC."""
        phone = self._gate.lookup(asked.ip)
        if not self._genuine(asked):
            return self._home(asked, phone, Error("error_form"), 403)
        token = asked.form.get("resume_token", "")[:_MAX_TOKEN]
        return self._entered(asked, phone, self._gate.resume(asked.ip, token))

    def logout(self, asked: Asked) -> Answer:
        """End the session now; the cookie goes with it, since there is no session left to resume."""
        if not self._genuine(asked):
            return self._home(asked, self._gate.lookup(asked.ip), Error("error_form"), 403)
        self._gate.end(ip=asked.ip)
        return _with_cookie(asked, self._home(asked, self._gate.lookup(asked.ip)), "", 0)

    def back_home(self, asked: Asked) -> Answer:
        """A form's address opened as a page (a bookmark, a reload): home."""
        return _see("/", _carried(asked))

    # -- trouble --

    def without_gate(self, asked: Asked) -> Answer:
        """503 with a page to try again, as the gate restarts within seconds."""
        answer = self.bare_error(asked, "error_busy", 503)
        return answer._replace(headers=(*answer.headers, ("Retry-After", "5")))

    def bare_error(self, asked: Asked, key: str, status: int) -> Answer:
        """A page for a request that could not be read or served; it asks nobody anything."""
        return self._drawing.draw(asked, Sheet(Page.WELCOME, _NOBODY, Error(key), "error.html"), status)

    def _genuine(self, asked: Asked) -> bool:
        return self._tokens.holds(asked.ip, asked.form.get("token", ""))


def _carried(asked: Asked) -> dict[str, str]:
    """What a redirect carries instead of a cookie: the language, when one was chosen."""
    chosen = asked.args.get("lang", "")
    return {"lang": chosen} if chosen else {}


def _see(path: str, query: Mapping[str, str]) -> Answer:
    return Answer(303, (("Location", f"{path}?{urlencode(query)}" if query else path),))


def _with_cookie(asked: Asked, answer: Answer, token: str, seconds: int) -> Answer:
    """seconds 0: forget it."""
    cookie = dump_cookie(
        RESUME_COOKIE,
        token,
        max_age=seconds,
        expires=None if seconds else 0,
        httponly=True,
        secure=asked.secure,
        samesite="Lax",
    )
    return answer._replace(headers=(*answer.headers, ("Set-Cookie", cookie)))
