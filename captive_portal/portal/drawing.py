"""Draws a page for the one who asked, in the language that fits. Pure but for the clock in the form tokens."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

from captive_portal.gate.protocol import Disaster, Phone, SessionView
from captive_portal.portal.asked import Answer, Asked
from captive_portal.portal.languages import Catalogue, choose_language
from captive_portal.portal.origins import Origins
from captive_portal.portal.press import Press
from captive_portal.portal.probes import DeviceKind, kind_of_agent
from captive_portal.portal.tokens import FormTokens
from captive_portal.portal.view import (
    Page,
    megabytes_left,
    minutes_left,
    place_of,
    spot_of,
    standing_error,
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
_LOGS_IN = (Page.WELCOME, Page.ENDED)


@dataclass(frozen=True)
class Error:
    """A sentence to show above the page's forms. typed: what stood in them, to be mended and not typed anew."""

    key: str
    values: Mapping[str, object] = field(default_factory=dict)
    typed: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Left:
    """What an online phone is told of its session. ends_at: to the minute; megabytes: None without a quota; slow: it is
    used up, and the phone goes on throttled.
    """

    seconds: int
    minutes: int
    ends_at: datetime
    can_extend: bool
    megabytes: int | None
    slow: bool
    resume_token: str

    @classmethod
    def of(cls, session: SessionView, resume_token: str) -> Left:
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
class Sheet:
    """What is to be drawn. template "": the page's own; keep: what the language choice has to carry along, next to the
    kind of device; waits: the terms end with the log-in form; offer_token: of a resume cookie; mailed: the request of a
    code that this phone may still type.
    """

    page: Page
    phone: Phone
    error: Error | None = None
    template: str = ""
    keep: Mapping[str, str] = field(default_factory=dict)
    waits: bool = False
    offer_token: str = ""
    mailed: str = ""
    disaster: Disaster | None = None
    left: Left | None = None


class Drawing:
    """Makes an answer of a sheet. One for all requests."""

    def __init__(
        self,
        settings: WifiSettings,
        tokens: FormTokens,
        catalogues: Mapping[str, Catalogue],
        origins: Origins,
        press: Press,
    ) -> None:
        self._settings = settings
        self._tokens = tokens
        self._catalogues = catalogues
        self._origins = origins
        self._press = press
        self._offered = [c for c in settings.portal.languages if c in catalogues] or list(catalogues)
        self._chosen = lru_cache(64)(lambda wanted, accept: choose_language(wanted, accept, self._offered))
        self._names = [(c, catalogues[c].plain("name")) for c in settings.portal.languages if c in catalogues]

    def language(self, asked: Asked) -> Catalogue:
        """The visitor's."""
        wanted = asked.args.get("lang")
        return self._catalogues[
            self._chosen(wanted if wanted in self._catalogues else None, asked.accept_language[:200])
        ]

    def draw(self, asked: Asked, sheet: Sheet, status: int = 200) -> Answer:
        """The page."""
        words, spot = self.language(asked), spot_of(self._settings, sheet.phone)
        standing = standing_error(sheet.phone) if sheet.page in _LOGS_IN else ""
        if standing and not sheet.error:
            sheet = replace(sheet, error=Error(standing))
        here = asked.path if asked.method == "GET" and status < 400 else "/"
        facts = _Facts(
            self._settings, sheet, words, spot, self._origins.of(asked.ip), here, bool(standing), self._names
        )
        blanks = {"token": self._tokens.issue(asked.ip), "d": device_of(asked).value, **_figures(sheet.left)}
        body = self._press.print(sheet.template or _TEMPLATES[sheet.page], blanks, facts.told, facts.kind())
        return Answer(status, (("Content-Type", "text/html; charset=utf-8"), ("Content-Language", words.code)), body)


def device_of(asked: Asked) -> DeviceKind:
    """By the probe that led here, else by the browser's name."""
    hinted = DeviceKind.parse(asked.args.get("d", ""))
    return hinted if hinted is not DeviceKind.OTHER else kind_of_agent(asked.agent[:300])


def _figures(left: Left | None) -> dict[str, str]:
    if left is None:
        return {}
    figures = {"seconds": str(left.seconds), "resume_token": left.resume_token}
    return figures if left.megabytes is None else {**figures, "megabytes": str(left.megabytes)}


@dataclass(frozen=True, slots=True)
class _Facts:
    """What the templates are told of one sheet."""

    settings: WifiSettings
    sheet: Sheet
    words: Catalogue
    spot: SpotSettings
    origin: str
    here: str
    barred: bool
    names: list[tuple[str, str]]

    def kind(self) -> Hashable:
        """See Press.print; None when the sheet holds what this visitor alone sent, or what changes with time."""
        sheet, error, left = self.sheet, self.sheet.error, self.sheet.left
        if (
            sheet.keep
            or sheet.offer_token
            or sheet.mailed
            or sheet.disaster
            or (error and (error.values or error.typed))
        ):
            return None
        online = left and (
            left.minutes,
            left.ends_at,
            left.can_extend,
            left.megabytes is None,
            left.slow,
            not left.resume_token,
        )
        shown = (sheet.page, sheet.waits, error.key if error else "", self.barred, online)
        return (self.words.code, self.spot.name, self.origin, self.here, shown)

    def told(self, blanks: Mapping[str, str]) -> dict[str, Any]:
        """By name."""
        sheet, code = self.sheet, self.words.code
        return {
            "page": sheet.page.value,
            "t": self.words,
            "languages": self.names,
            "place": place_of(self.spot, self.settings.portal, code),
            "error": sheet.error,
            "barred": self.barred,
            "typed": sheet.error.typed if sheet.error else {},
            "token": blanks["token"],
            "origin": self.origin,
            "carried": {"lang": code, "d": blanks["d"]},
            "keep": {"d": blanks["d"], **sheet.keep},
            "here": self.here,
            "waits": sheet.waits,
            "offer_token": sheet.offer_token,
            "mailed": sheet.mailed,
            "disaster": sheet.disaster,
            **(_session(sheet.left, blanks) if sheet.left else {}),
        }


def _session(left: Left, blanks: Mapping[str, str]) -> dict[str, Any]:
    return {
        "session": SimpleNamespace(seconds_left=blanks["seconds"], ends_at=left.ends_at, can_extend=left.can_extend),
        "minutes": left.minutes,
        "slow": left.slow,
        "megabytes": blanks.get("megabytes"),
        "resume_token": left.resume_token and blanks["resume_token"],
    }
