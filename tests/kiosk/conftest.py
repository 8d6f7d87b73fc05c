"""Drives the kiosk's pages by the names on their controls, and holds every page it meets against the house rules."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from device.card.virtual.pki import TestPki
from device.logs import Log
from kiosk.services.certificates.issuance.journal import Journal
from kiosk.services.certificates.service import RunningCertificates
from kiosk.settings import KioskSettings
from kiosk.shell.staff_code import hash_staff_code, staff_code_of
from kiosk.simulator import KioskSimulator

PIN = "1234"
STAFF_CODE = "2468"


@dataclass
class Form:
    """One form of a page: where it goes, its hidden and chosen fields, the controls in it."""

    path: str
    fields: dict[str, list[str]] = field(default_factory=dict)
    actions: set[str] = field(default_factory=set)
    id: str = ""


class Page(HTMLParser):
    """One page: its screen, words and forms, and the house rules it must keep."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html, self.forms, self.by_id = html, list[Form](), dict[str, str]()
        self.screen = self.language = self.service = ""
        self.headings = self.inline = 0
        self.facts: dict[str, str] = {}
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """See HTMLParser."""
        has = {name: value or "" for name, value in attrs}
        self.inline += "style" in has or tag == "style" or (tag == "script" and "src" not in has)
        self.inline += any(name.startswith("on") for name in has)
        self.headings += tag == "h1"
        self.language = has.get("lang", "") if tag == "html" else self.language
        self.screen = has.get("data-screen", self.screen)
        self.service = has.get("data-service", self.service) if tag == "body" else self.service
        self.facts |= {name: value for name, value in has.items() if name.startswith("data-") and tag != "button"}
        if tag == "form":
            self.forms.append(Form(has["action"], id=has.get("id", "")))
        elif tag in ("input", "button"):
            self._control(has)

    def _control(self, has: dict[str, str]) -> None:
        owner = next((form for form in self.forms if form.id and form.id == has.get("form")), self.forms[-1])
        owner.actions.add(has.get("data-action", ""))
        if has.get("type") == "hidden" or "checked" in has:
            owner.fields.setdefault(has["name"], []).append(has["value"])

    @property
    def actions(self) -> set[str]:
        """The names of all controls."""
        return set().union(*(form.actions for form in self.forms)) - {""}

    @property
    def display(self) -> list[str]:
        """Larger text, high contrast: what is switched on."""
        return self.html.partition("<html")[2].partition('class="')[2].partition('"')[0].split()

    @property
    def text(self) -> str:
        """The words of the body."""
        return re.sub(r"<[^>]*>", " ", self.html.partition("<body")[2])


class Visitor:
    """A person in front of the screen. ``pages`` keeps every page that was shown."""

    def __init__(self, simulator: KioskSimulator) -> None:
        self.simulator, self.client = simulator, simulator.kiosk.app.test_client()
        self.pages: list[Page] = []
        self.look()

    @property
    def page(self) -> Page:
        """The page in front of the visitor."""
        return self.pages[-1]

    @property
    def screen(self) -> str:
        """The name of the present screen."""
        return self.look().screen

    @property
    def certificates(self) -> RunningCertificates:
        """The service that certificates became."""
        running = self.simulator.kiosk.services["certificates"]
        assert isinstance(running, RunningCertificates)
        return running

    @property
    def journal(self) -> Journal:
        """The journal of requests."""
        assert self.certificates.journal is not None
        return self.certificates.journal

    def look(self) -> Page:
        """Load the present page."""
        return self._keep(self.client, "get", "/")

    def touch(self, action: str, **fields: str | list[str]) -> Page:
        """Touch the control ``action``; fields stand in for what its form chooses."""
        form = next(form for form in self.page.forms if action in form.actions)
        return self._keep(self.client, "post", form.path, {**form.fields, **fields})

    def _keep(
        self, client: FlaskClient, method: str, path: str, data: Mapping[str, str | list[str]] | None = None
    ) -> Page:
        answer = client.open(path, method=method.upper(), data=data, follow_redirects=True)
        assert answer.status_code == 200
        page = Page(answer.get_data(as_text=True))
        assert page.language in ("ja", "en")
        assert page.screen
        assert page.headings == 1
        assert page.inline == 0
        assert not re.findall(r"""\s(?:src|href|action)=["'](?!/)""", page.html)
        assert not re.findall(r"https?:", page.html)
        assert answer.headers["Cache-Control"] == "no-store"
        assert "unsafe" not in answer.headers["Content-Security-Policy"]
        assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
        assert "Set-Cookie" not in answer.headers
        assert {"language-ja", "language-en", "display-large", "display-contrast"} <= page.actions
        self.pages.append(page)
        return page

    def to_card(self, card: str = "demo", tries: int | None = None) -> Page:
        """From home to a card on the reader."""
        self.touch("start")
        self.touch("certificates")
        self.simulator.insert(card, tries)
        return self.look()

    def to_choice(self) -> Page:
        """From home to the choice of a certificate."""
        self.to_card()
        return self.touch("enter", pin=PIN)

    def to_confirm(self, **options: str | list[str]) -> Page:
        """From home to the confirm screen."""
        self.to_choice()
        self.touch("choose-residence_record")
        return self.touch("next", **options)

    def to_paper(self) -> Page:
        """From home to paper in the tray."""
        self.to_confirm()
        self.touch("confirm")
        return self.touch("pay")


class QuietLog:
    """Keeps what was logged."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def info(self, event: str, **facts: object) -> None:
        """See Log."""
        self.lines.append(f"{event} {facts}")

    warning = error = info


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> TestPki:
    """The cards the screens meet."""
    made = TestPki(Path(tmp_path_factory.mktemp("pki")))
    made.ensure(["demo", "demo2", "juki", "other"])
    return made


@pytest.fixture
def log() -> QuietLog:
    """What the kiosk logs."""
    return QuietLog()


Stage = Callable[..., Visitor]


@pytest.fixture
def stage(tmp_path: Path, pki: TestPki, log: Log) -> Stage:
    """Builds a kiosk with the settings given and puts a visitor in front of it."""

    def build(**settings: object) -> Visitor:
        chosen = {"terminal": "virtual", "staff_code_hash": "", **settings}
        return Visitor(KioskSimulator(tmp_path, pki, settings=KioskSettings(**chosen), log=log))  # type: ignore[arg-type]  # names tested by msgspec

    return build


@pytest.fixture
def visitor(stage: Stage) -> Visitor:
    """A visitor in front of a kiosk with the virtual payment terminal."""
    return stage()


@pytest.fixture(scope="session")
def staff_hash() -> str:
    """The hash of STAFF_CODE."""
    return hash_staff_code(staff_code_of(STAFF_CODE))
