"""One whole visit through the kiosk's real pages; its papers and summary.json."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from device.audit import Audit
from device.card.virtual import process as card
from device.card.virtual.pki import DEMO_PIN
from device.clock import SystemClock
from device.store import Store
from kiosk.schema import KIOSK_MIGRATIONS
from kiosk.services.certificates.issuance.journal import Journal, RequestRow
from kiosk.services.certificates.issuance.states import State
from provisioning.demo.made_up_city import STAFF_CODE
from provisioning.demo.plain_browser import ControlMissing, PlainBrowser
from provisioning.demo.plaza import Plaza
from provisioning.errors import DemoVisitFailed
from provisioning.virtual import VirtualFolder

SCREEN_SECONDS = 60.0
LAST = "done"


def one_visit(plaza: Plaza, out: Path, language: str) -> str:
    """Drive the visit, fill ``out``, return one line for people. Raises DemoVisitFailed when anything is missing."""
    out.mkdir(parents=True, exist_ok=True)
    virtual = VirtualFolder(plaza.folder)
    screens = Visitor(PlainBrowser(plaza.address), virtual, plaza.logs, language).run()
    row, moves = _journal(plaza.folder)
    summary = {
        "request": row.request,
        "kind": row.kind,
        "issue_number": row.issue_number,
        "copies": row.copies,
        "fee_yen": row.fee_yen,
        "states": moves,
        "screens": screens,
        "apdus": card.read_report(card.report_file(virtual.card_state)).apdus,
        "pages_printed": _papers(virtual, row, out, plaza.logs),
    }
    if row.state is not State.DELIVERED or summary["pages_printed"] != row.pages or not summary["apdus"]:
        raise DemoVisitFailed(screen=LAST, reason=f"state {row.state.value}, {summary}", log=plaza.logs)
    for key in sorted((plaza.folder / "issuer" / "seal").glob("*.pem")):
        shutil.copyfile(key, out / "TEST-seal.pem")  # this demo's only key: `hiroba verify FILE --keys OUT`
    (out / "summary.json").write_text(json.dumps(summary, ensure_ascii=False, indent=2) + "\n", "utf-8")
    return f"{row.issue_number}, {row.pages} p, {row.state.value}"


class Visitor:
    """A visitor with the demo's card: one action for each screen."""

    def __init__(self, browser: PlainBrowser, virtual: VirtualFolder, logs: Path, language: str) -> None:
        self._browser = browser
        self._card = virtual.card_state
        self._logs = logs
        self._language = language
        self._action_of: dict[str, Callable[[], None]] = {
            "closed": lambda: None,  # until the kiosk has checked its hardware
            "home": self._at_home,
            "services": lambda: self._press("certificates"),
            "place_card": lambda: self._insert(inserted=True),
            "enter_pin": lambda: self._press("enter", pin=DEMO_PIN),
            "choose_certificate": lambda: self._press("choose-residence_record"),
            "choose_options": self._choose,
            "confirm": lambda: self._press("confirm"),
            "pay": self._pay,
            "printing": lambda: None,
            "take_items": self._take,
        }

    def run(self) -> list[dict[str, object]]:
        """From the first screen to the last; the screens, each with seconds since the start."""
        self._browser.open("/")
        begun, seen = time.monotonic(), ""
        passed: list[dict[str, object]] = []
        while seen != LAST:
            seen = self._next_screen(seen)
            passed.append({"screen": seen, "seconds": round(time.monotonic() - begun, 3)})
            if seen != LAST:
                self._perform(seen)
        return passed

    def _perform(self, screen: str) -> None:
        if screen not in self._action_of:
            raise self._failed(self._problem())
        self._action_of[screen]()

    def _next_screen(self, before: str) -> str:
        deadline = time.monotonic() + SCREEN_SECONDS
        while self._browser.screen == before:
            if time.monotonic() > deadline:
                raise self._failed(f"{SCREEN_SECONDS:.0f} s")
            time.sleep(0.05)
            self._browser.open("/")
        return self._browser.screen

    def _press(self, action: str, **typed: str) -> None:
        try:
            self._browser.press(action, **typed)
        except ControlMissing as error:
            raise self._failed(f"data-action={action}") from error

    def _at_home(self) -> None:
        if self._browser.language != self._language:
            self._press(f"language-{self._language}")
        deadline = time.monotonic() + SCREEN_SECONDS
        while "data-notice=" in self._browser.page:  # something is not ready yet
            if time.monotonic() > deadline:
                raise self._failed("the kiosk never became ready")
            time.sleep(0.1)
            self._browser.open("/")
        self._press("start")

    def _choose(self) -> None:
        for action in ("persons-all", "registered-domicile", "copies-1", "next"):
            self._press(action)

    def _pay(self) -> None:
        if "pay" in self._browser.controls:
            self._press("pay")
        else:
            self._press("staff-code", code=STAFF_CODE)

    def _take(self) -> None:
        self._insert(inserted=False)
        self._browser.open("/")
        while 'data-receipt="waiting"' in self._browser.page:
            time.sleep(0.05)
            self._browser.open("/")
        self._press("taken")

    def _insert(self, *, inserted: bool) -> None:
        if inserted:
            card.insert(self._card, "demo")
        else:
            card.remove(self._card)

    def _failed(self, reason: str) -> DemoVisitFailed:
        return DemoVisitFailed(screen=self._browser.screen or "?", reason=reason, log=self._logs)

    def _problem(self) -> str:
        marker = 'data-trouble="'
        return self._browser.page.partition(marker)[2].partition('"')[0] or "the screen is not part of a visit"


def _journal(state: Path) -> tuple[RequestRow, list[dict[str, str]]]:
    store, clock = Store(state / "kiosk" / "kiosk.db", KIOSK_MIGRATIONS), SystemClock()
    journal = Journal(store, Audit(store, clock), clock)
    row = journal.all_rows(limit=1)[0]
    return row, [{"state": move.state.value, "at": move.at} for move in journal.moves(row.request)]


def _papers(virtual: VirtualFolder, row: RequestRow, out: Path, logs: Path) -> int:
    """Copy the papers of both printers; the number of pages of the A4 printer."""
    pages = sorted(virtual.page.glob("job-*-page-*.png"))
    documents, receipts = sorted(virtual.page.glob("job-*.pdf")), sorted(virtual.receipt.glob("receipt-*.png"))
    if not (pages and documents and receipts):
        raise DemoVisitFailed(screen=LAST, reason=f"papers of {row.issue_number} are missing", log=logs)
    shutil.copyfile(documents[-1], out / "certificate.pdf")
    shutil.copyfile(pages[0], out / "certificate.png")
    for number, page in enumerate(pages[1:], 2):
        shutil.copyfile(page, out / f"certificate-{number}.png")
    shutil.copyfile(receipts[-1], out / "receipt.png")
    return len(pages)
