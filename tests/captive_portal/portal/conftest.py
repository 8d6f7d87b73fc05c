"""A spot, a gate in memory and phones that open the portal's pages as WSGI requests."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from io import StringIO
from pathlib import Path

import pytest
from werkzeug.test import Client, TestResponse

from captive_portal.gate.memory import MemoryGate
from captive_portal.portal.app import WsgiApp, create_app
from captive_portal.portal.languages import read_catalogues
from captive_portal.portal.login.methods import build_methods
from captive_portal.portal.mail import Mail
from captive_portal.portal.records import open_records
from captive_portal.settings import (
    Ipv4Settings,
    LimitSettings,
    PortalSettings,
    SpotSettings,
    WifiSettings,
)
from device.clock import JST, HeldClock
from device.logs import open_log
from device.store import Store

MORNING = datetime(2026, 11, 23, 9, 0, tzinfo=JST)
KEY = b"a key for tests, thirty-two long"
HOST = "10.90.0.1:8180"


class KeptMails:
    """A mail queue that keeps its mails; ``full`` refuses them."""

    def __init__(self) -> None:
        self.mails: list[Mail] = []
        self.full = False

    def enqueue(self, mail: Mail, /) -> bool:
        """See MailQueue."""
        if not self.full:
            self.mails.append(mail)
        return not self.full


@dataclass
class Phone:
    """One phone's browser without JavaScript: it keeps the page it sees and can press its forms."""

    app: WsgiApp
    ip: str
    agent: str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X)"
    accept_language: str = ""
    cookies: bool = False

    def __post_init__(self) -> None:
        self._client = Client(self.app, use_cookies=self.cookies)
        self.page: TestResponse | None = None

    def get(self, path: str, host: str = HOST) -> TestResponse:
        """Open a path and keep the page."""
        return self._ask("GET", path, host, None)

    def post(self, path: str, form: Mapping[str, str], host: str = HOST) -> TestResponse:
        """Send a form and keep the page; a 303 is followed."""
        answer = self._ask("POST", path, host, form)
        return self.get(answer.headers["Location"]) if answer.status_code == 303 else answer

    def press(self, action: str, method: str = "", **typed: str) -> TestResponse:
        """Fill and send the form with this data-action (and log-in method) on the page in hand."""
        assert self.page is not None
        for path, body in re.findall(
            rf'<form method="post" action="([^"]+)" data-action="{action}">(.*?)</form>', self.page.text, re.DOTALL
        ):
            fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', body))
            if fields.get("method", "") == method:
                return self.post(path.replace("&amp;", "&"), {**fields, **typed})
        raise AssertionError(f"no form {action} {method}")

    def _ask(self, verb: str, path: str, host: str, form: Mapping[str, str] | None) -> TestResponse:
        headers = {"Host": host, "User-Agent": self.agent, "Accept-Language": self.accept_language}
        overrides = {"REMOTE_ADDR": self.ip}
        self.page = self._client.open(path, method=verb, data=form, headers=headers, environ_overrides=overrides)
        return self.page


@dataclass
class Plaza:
    """One spot with everything a test may look into."""

    settings: WifiSettings
    app: WsgiApp
    gate: MemoryGate
    clock: HeldClock
    store: Store
    mails: KeptMails
    log: StringIO

    def phone(self, number: int = 5, **facts: str | bool) -> Phone:
        """A phone that has just arrived with a lease."""
        ip = f"10.90.0.{number}"
        self.gate.arrive(ip, f"02:00:00:00:00:{number:02x}")
        return Phone(self.app, ip, **facts)  # type: ignore[arg-type]  # fields by name


@pytest.fixture
def build_plaza(tmp_path: Path) -> Callable[..., Plaza]:
    """Make a plaza; facts are fields of the spot, ``portal`` the portal's settings."""

    def build(portal: PortalSettings | None = None, **facts: object) -> Plaza:
        spot = {
            "name": "hall",
            "interface": "br-lan",
            "uplink": "up0",
            "ipv4": Ipv4Settings(gateway="10.90.0.1", prefix=22),
            "login": ["one_tap", "email_code", "voucher"],
            "limits": LimitSettings(quota_mib=500),
            **facts,
        }
        settings = WifiSettings(spots=[SpotSettings(**spot)], portal=portal or PortalSettings())  # type: ignore[arg-type]
        clock, store, mails, log = HeldClock(MORNING), open_records(tmp_path), KeptMails(), StringIO()
        gate = MemoryGate(settings, clock)
        methods = build_methods(store, KEY, clock, mails, read_catalogues())
        app = create_app(settings, gate, clock, open_log("portal", log), key=KEY, methods=methods)
        return Plaza(settings, app, gate, clock, store, mails, log)

    return build


@pytest.fixture
def plaza(build_plaza: Callable[..., Plaza]) -> Plaza:
    """A spot with all three log-in methods."""
    return build_plaza()
