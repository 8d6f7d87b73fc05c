"""Renders the page that answers a request, in the visitor's language. Pure but for the clock in the form tokens."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

from captive_portal.gate.protocol import Disaster, Phone, SessionView
from captive_portal.portal.languages import Catalogue, choose_language
from captive_portal.portal.origins import Origins
from captive_portal.portal.page_request import PageRequest, PageResponse
from captive_portal.portal.probes import DeviceKind, kind_of_agent
from captive_portal.portal.template_renderer import TemplateRenderer
from captive_portal.portal.tokens import FormTokens
from captive_portal.portal.view import (
    LOGIN_PAGES,
    Page,
    login_obstacle,
    megabytes_left,
    minutes_left,
    spot_info,
    spot_of,
)
from captive_portal.settings import SpotSettings, WifiSettings

_TEMPLATES = {
    Page.WELCOME: "entry.html",
    Page.ENDED: "entry.html",
    Page.TERMS: "terms.html",
    Page.ONLINE: "online.html",
    Page.CLOSED: "closed.html",
    Page.DISASTER: "disaster.html",
}


@dataclass(frozen=True)
class PageError:
    """A sentence to show above the page's forms. typed: what stood in them, to be mended and not typed anew."""

    key: str
    values: Mapping[str, object] = field(default_factory=dict)
    typed: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SessionSummary:
    """The session on the online page. ends_at: to the minute; megabytes: None without a quota; slow: the quota is used
    up and the phone is throttled.
    """

    seconds: int
    minutes: int
    ends_at: datetime
    can_extend: bool
    megabytes: int | None
    slow: bool
    resume_token: str

    @classmethod
    def of(cls, session: SessionView, resume_token: str) -> SessionSummary:
        """The figures of ``session``."""
        return cls(
            seconds=session.seconds_left,
            minutes=minutes_left(session.seconds_left),
            ends_at=session.ends_at.replace(second=0, microsecond=0),
            can_extend=session.can_extend,
            megabytes=None if session.bytes_left is None else megabytes_left(session.bytes_left),
            slow=session.bytes_left == 0,
            resume_token=resume_token,
        )


@dataclass(frozen=True, slots=True)
class PageModel:
    """The content of a page. template "": the page's own; hidden_fields: of the language form, besides the kind of
    device; with_login: the terms end with the log-in form; offer_token: of a resume cookie; code_request: id of a
    mailed code that this phone may still type.
    """

    page: Page
    phone: Phone
    error: PageError | None = None
    template: str = ""
    hidden_fields: Mapping[str, str] = field(default_factory=dict)
    with_login: bool = False
    offer_token: str = ""
    code_request: str = ""
    disaster: Disaster | None = None
    session: SessionSummary | None = None


class PageRenderer:
    """Renders a PageModel. One for all requests."""

    def __init__(
        self,
        settings: WifiSettings,
        tokens: FormTokens,
        catalogues: Mapping[str, Catalogue],
        origins: Origins,
        templates: TemplateRenderer,
    ) -> None:
        self._settings = settings
        self._tokens = tokens
        self._catalogues = catalogues
        self._origins = origins
        self._templates = templates
        self._offered = [c for c in settings.portal.languages if c in catalogues] or list(catalogues)
        self._chosen = lru_cache(64)(lambda wanted, accept: choose_language(wanted, accept, self._offered))
        self._names = [(c, catalogues[c].plain("name")) for c in settings.portal.languages if c in catalogues]

    def language(self, request: PageRequest) -> Catalogue:
        """The visitor's language."""
        wanted = request.args.get("lang")
        return self._catalogues[
            self._chosen(wanted if wanted in self._catalogues else None, request.accept_language[:200])
        ]

    def render(self, request: PageRequest, model: PageModel, status: int = 200) -> PageResponse:
        """The page."""
        words, spot = self.language(request), spot_of(self._settings, model.phone)
        obstacle = login_obstacle(model.phone) if model.page in LOGIN_PAGES else ""
        if obstacle and not model.error:
            model = replace(model, error=PageError(obstacle))
        current_path = request.path if request.method == "GET" and status < 400 else "/"
        context = _Context(
            self._settings, model, words, spot, self._origins.of(request.ip), current_path, bool(obstacle), self._names
        )
        placeholders = {
            "token": self._tokens.issue(request.ip),
            "d": device_of(request).value,
            **_session_placeholders(model.session),
        }
        template = model.template or _TEMPLATES[model.page]
        body = self._templates.render(template, placeholders, context.variables, context.cache_key())
        return PageResponse(
            status, (("Content-Type", "text/html; charset=utf-8"), ("Content-Language", words.code)), body
        )


def device_of(request: PageRequest) -> DeviceKind:
    """By the probe that led to the portal, else by the browser's name."""
    hinted = DeviceKind.parse(request.args.get("d", ""))
    return hinted if hinted is not DeviceKind.OTHER else kind_of_agent(request.agent[:300])


def _session_placeholders(session: SessionSummary | None) -> dict[str, str]:
    if session is None:
        return {}
    values = {"seconds": str(session.seconds), "resume_token": session.resume_token}
    return values if session.megabytes is None else {**values, "megabytes": str(session.megabytes)}


@dataclass(frozen=True, slots=True)
class _Context:
    """The variables of one page's template."""

    settings: WifiSettings
    model: PageModel
    words: Catalogue
    spot: SpotSettings
    origin: str
    current_path: str
    cannot_log_in: bool
    names: list[tuple[str, str]]

    def cache_key(self) -> Hashable:
        """See TemplateRenderer.render; None for a page with this visitor's own input or with what changes by time."""
        model, error, session = self.model, self.model.error, self.model.session
        if (
            model.hidden_fields
            or model.offer_token
            or model.code_request
            or model.disaster
            or (error and (error.values or error.typed))
        ):
            return None
        online = session and (
            session.minutes,
            session.ends_at,
            session.can_extend,
            session.megabytes is None,
            session.slow,
            not session.resume_token,
        )
        shown = (model.page, model.with_login, error.key if error else "", self.cannot_log_in, online)
        return (self.words.code, self.spot.name, self.origin, self.current_path, shown)

    def variables(self, placeholders: Mapping[str, str]) -> dict[str, Any]:
        """By name; of the placeholders the values, or the markers that stand for them."""
        model, code = self.model, self.words.code
        return {
            "page": model.page.value,
            "t": self.words,
            "languages": self.names,
            "spot": spot_info(self.spot, self.settings.portal, code),
            "error": model.error,
            "cannot_log_in": self.cannot_log_in,
            "typed": model.error.typed if model.error else {},
            "token": placeholders["token"],
            "origin": self.origin,
            "link_query": {"lang": code, "d": placeholders["d"]},
            "hidden_fields": {"d": placeholders["d"], **model.hidden_fields},
            "current_path": self.current_path,
            "with_login": model.with_login,
            "offer_token": model.offer_token,
            "code_request": model.code_request,
            "disaster": model.disaster,
            **(_session_variables(model.session, placeholders) if model.session else {}),
        }


def _session_variables(session: SessionSummary, placeholders: Mapping[str, str]) -> dict[str, Any]:
    return {
        "session": SimpleNamespace(
            seconds_left=placeholders["seconds"], ends_at=session.ends_at, can_extend=session.can_extend
        ),
        "minutes": session.minutes,
        "slow": session.slow,
        "megabytes": placeholders.get("megabytes"),
        "resume_token": session.resume_token and placeholders["resume_token"],
    }
