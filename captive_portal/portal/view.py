"""Which page a phone gets, and the figures on it: pure functions of the gate's answer."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

from markupsafe import Markup

from captive_portal.gate.protocol import Phone, PhoneState, RefusalReason
from captive_portal.settings import PortalSettings, SpotSettings, WifiSettings
from device.catalogue import language_of_names, name_in


class Page(Enum):
    """The value is the page's ``data-page``; an interface (captive_portal/portal/README.md)."""

    WELCOME = "welcome"
    TERMS = "terms"
    ONLINE = "online"
    ENDED = "ended"
    CLOSED = "closed"
    DISASTER = "disaster"


LOGIN_PAGES = (Page.WELCOME, Page.ENDED)


REFUSED = {
    RefusalReason.NO_LEASE: "error_no_lease",
    RefusalReason.BLOCKED: "error_blocked",
    RefusalReason.DEVICES: "error_devices",
    RefusalReason.MINUTES_USED: "error_minutes_used",
    RefusalReason.CLOSED: "error_closed",
    RefusalReason.METHOD: "error_form",
    RefusalReason.TOKEN: "error_resume",
    RefusalReason.NOT_ONLINE: "error_form",
    RefusalReason.GATE_BUSY: "error_busy",
}
"""Why the gate refuses -> the key of its sentence."""


def page_of(phone: Phone) -> Page:
    """The page at "/" for this phone. A disaster comes first, then an online session, then opening hours."""
    if phone.disaster:
        return Page.DISASTER
    if phone.state is PhoneState.ONLINE and phone.session is not None:
        return Page.ONLINE
    if phone.closed:
        return Page.CLOSED
    return Page.ENDED if phone.state is PhoneState.ENDED else Page.WELCOME


def login_obstacle(phone: Phone) -> str:
    """The key of the sentence for what keeps this phone from logging in; "" when nothing does."""
    if phone.state is PhoneState.BLOCKED:
        return "error_blocked"
    if phone.minutes_left_today is not None and phone.minutes_left_today <= 0:
        return "error_minutes_used"
    return ""


def spot_of(settings: WifiSettings, phone: Phone) -> SpotSettings:
    """The spot of the phone; the first one for an address the gate does not know."""
    return next((spot for spot in settings.spots if spot.name == phone.spot), settings.spots[0])


def radio_of(spot: SpotSettings) -> str:
    """How the radio connection is secured: "open", "encrypted", or "mixed" when it depends on the SSID or on access
    points that are not ours (MIC guide: tell users how the connection is secured, docs/sources.md#public-wi-fi).
    """
    kinds = {ssid.security for ssid in spot.ssids}
    if kinds == {"open"}:
        return "open"
    return "encrypted" if kinds and not kinds & {"open", "owe_transition"} else "mixed"


_NO_ATTRIBUTE = Markup()


@dataclass(frozen=True)
class SpotInfo:
    """What a page shows of the spot, in the visitor's script. 0 minutes a day, "" hours: no such limit.
    names_lang: the lang attribute of names in another language than the page's (WCAG 3.1.2); radio: see radio_of.
    """

    title: str
    provider: str
    contact: str
    methods: tuple[str, ...]
    minutes_visit: int
    minutes_day: int
    opens: str
    closes: str
    terms_version: str
    names_lang: Markup = _NO_ATTRIBUTE
    radio: str = "mixed"
    shelters: tuple[str, ...] = ()

    @property
    def always_open(self) -> bool:
        """Whether there are no opening hours."""
        return self.opens == self.closes or (self.opens, self.closes) == ("00:00", "24:00")


def spot_info(spot: SpotSettings, portal: PortalSettings, language: str) -> SpotInfo:
    """The spot for a reader of ``language``: Japanese names for Japanese, else the English ones."""
    names = language_of_names(language)
    return SpotInfo(
        title=name_in(language, spot.title_ja, spot.title_en),
        provider=name_in(language, portal.provider_ja, portal.provider_en),
        contact=portal.contact,
        methods=tuple(dict.fromkeys(spot.login)),
        minutes_visit=spot.limits.minutes_per_visit,
        minutes_day=spot.limits.minutes_per_day,
        opens=spot.opens,
        closes=spot.closes,
        terms_version=portal.terms_version,
        names_lang=Markup(' lang="{}"').format(names) if names else _NO_ATTRIBUTE,
        radio=radio_of(spot),
        shelters=tuple(portal.shelters),
    )


def minutes_left(seconds: int) -> int:
    """Whole minutes to show: rounded up, so that the last minute reads 1."""
    return max(0, math.ceil(seconds / 60))


def megabytes_left(bytes_left: int) -> int:
    """Whole MB (10^6 bytes), rounded down: never more than there is."""
    return max(0, bytes_left) // 1_000_000
